/** What the parser makes of a template. */
import type { Value } from './values.ts'

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in'
export type Arithmetic = '+' | '-' | '*' | '/' | '//' | '%' | '**'

export interface Argument {
  /** `spread` is `*list`, `named` `name=value`, `spreadNamed` `**dict`. */
  kind: 'positional' | 'named' | 'spread' | 'spreadNamed'
  name: string
  value: Expression
}

export interface FilterCall {
  name: string
  args: readonly Argument[]
}

export type Expression =
  | { type: 'constant'; value: Value }
  | { type: 'name'; name: string }
  | { type: 'list' | 'tuple'; items: readonly Expression[] }
  | { type: 'dict'; entries: readonly (readonly [Expression, Expression])[] }
  | { type: 'and' | 'or'; left: Expression; right: Expression }
  | { type: 'not'; value: Expression }
  | { type: 'sign'; sign: '+' | '-'; value: Expression }
  | { type: 'arithmetic'; operator: Arithmetic; left: Expression; right: Expression }
  | { type: 'concat'; items: readonly Expression[] }
  | { type: 'compare'; first: Expression; rest: readonly { operator: Comparison; value: Expression }[] }
  /** Without `otherwise` it is undefined when the condition does not hold. */
  | { type: 'condition'; test: Expression; value: Expression; otherwise: Expression | undefined }
  | { type: 'attribute'; object: Expression; name: string }
  | { type: 'item'; object: Expression; index: Expression }
  | { type: 'slice'; object: Expression; start?: Expression; stop?: Expression; step?: Expression }
  | { type: 'call'; callee: Expression; args: readonly Argument[] }
  | { type: 'filter'; value: Expression; filter: FilterCall }
  | { type: 'test'; value: Expression; test: FilterCall; negated: boolean }

/** What may be assigned to: a name, a namespace's attribute, or several of them. */
export type Target =
  | { type: 'name'; name: string }
  | { type: 'member'; object: string; name: string }
  | { type: 'targets'; items: readonly Target[] }

export interface Parameter {
  name: string
  value: Expression | undefined
}

export interface MacroBody {
  parameters: readonly Parameter[]
  body: readonly Statement[]
  /** Names that occur in it: a macro that names `varargs`, `kwargs` or `caller` takes them. */
  names: ReadonlySet<string>
}

export interface Loop {
  target: Target
  items: Expression
  test: Expression | undefined
  recursive: boolean
  body: readonly Statement[]
  otherwise: readonly Statement[]
}

/** A part with a name. In a template that stands alone it is where it is written, but sees nothing of the parts around it. */
export interface Block {
  name: string
  /** It does see what is around it. */
  scoped: boolean
  body: readonly Statement[]
}

export interface Parsed {
  body: readonly Statement[]
  blocks: ReadonlyMap<string, Block>
}

export type Statement =
  | { type: 'text'; text: string }
  | { type: 'print'; value: Expression }
  | {
      type: 'if'
      branches: readonly { test: Expression; body: readonly Statement[] }[]
      otherwise: readonly Statement[]
    }
  | ({ type: 'for' } & Loop)
  | ({ type: 'block' } & Block)
  | { type: 'set'; target: Target; value: Expression }
  | { type: 'setBlock'; target: Target; filters: readonly FilterCall[]; body: readonly Statement[] }
  | { type: 'filterBlock'; filters: readonly FilterCall[]; body: readonly Statement[] }
  | { type: 'macro'; name: string; macro: MacroBody }
  | { type: 'callBlock'; call: Expression & { type: 'call' }; macro: MacroBody }
  | { type: 'scope'; assignments: readonly { target: Target; value: Expression }[]; body: readonly Statement[] }
  | { type: 'break' | 'continue' }
