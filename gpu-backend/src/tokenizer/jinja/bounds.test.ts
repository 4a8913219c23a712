import { expect, test } from 'vitest'
import { Template, TemplateError } from './index.ts'

const render = (template: string, variables = {}) => new Template(template).render(variables)

test.each([
  // Loops without an end.
  '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}',
  "{% for a in range(9999) %}{% for b in 'x' * 9999 %}{% endfor %}{% endfor %}",
  '{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}',
  '{% for n in [1] recursive %}{{ loop([1, 2]) }}{% endfor %}',
  '{{ range(10 ** 9) }}',
  // More memory than there is.
  "{{ 'x' * 10 ** 9 }}",
  '{{ [1] * 10 ** 9 }}',
  "{{ ('x' * 10 ** 7).replace('x', 'y' * 10 ** 7) }}",
  "{{ ('x' * 10 ** 6) | replace('', 'y' * 10 ** 6) }}",
  "{{ ('y' * 10 ** 6).join('x' * 10 ** 6) }}",
  "{{ ('x' * 10 ** 6) | join('y' * 10 ** 6) }}",
  "{{ 'x'.center(10 ** 10) }}",
  "{{ 'x'.zfill(10 ** 10) }}",
  "{{ '{:>9999999999}'.format('x') }}",
  "{{ '%9999999999d' % 1 }}",
  "{{ 'x' | indent(10 ** 10, true) }}",
  "{{ ('\n' * 10 ** 6) | indent('x' * 10 ** 6, true, true) }}",
  '{{ [1] | tojson(indent=10 ** 10) }}',
  '{{ [1] | batch(10 ** 10, 0) | list }}',
  '{{ [1] | slice(10 ** 10, 0) | list }}',
  "{{ '\t'.expandtabs(10 ** 10) }}",
  "{{ ('\t' * 10 ** 4).expandtabs(10 ** 4) }}",
  "{{ ('%9999999s' * 99) % ((1,) * 99) }}",
  "{{ '%.9999999999d' % 1 }}",
  "{{ ('{:9999999}' * 99).format(*[1] * 99) }}",
  "{{ strftime_now('%9999999999d') }}",
  "{{ strftime_now('%9999999d' * 99) }}",
  "{{ ('<' * 10 ** 7) | e }}",
  "{{ (('<' * 10 ** 7) | safe) + ('a' * 10 ** 7) }}",
  "{{ ('é' * 10 ** 7) | urlencode }}",
  "{{ {'a': '<' * 10 ** 7} | xmlattr }}",
  "{{ range(99999)[::1] | map('string') | map('center', 10 ** 6) | join }}",
  "{% for i in range(99999) %}{{ ('9' * 4300) | int(base=9) }}{{ ('8' * 4300) | int(base=9) }}{% endfor %}",
  '{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}',
  '{{ 10 ** (10 ** 10) }}',
  '{% set ns = namespace(n=10) %}{% for i in range(99) %}{% set ns.n = ns.n * ns.n %}{% endfor %}',
  "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
  "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
  "{% set ns = namespace(l=['x']) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
  "{% set x = 'x' * 10 ** 6 %}{% for i in range(9999) %}{{ x }}{% endfor %}",
  "{% set x = 'x' * 10 ** 6 %}{% for i in range(99999) %}{{ (x ~ i) | upper | length }}{% endfor %}",
  // A list that holds itself many times over.
  ...['ns.l | tojson', "ns.l ~ ''", 'ns.l == ns.m', '{ns.t: 1}'].map(
    (use) =>
      '{% set ns = namespace(l=[1], m=[1], t=(1,)) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}' +
      `{% set ns.m = [ns.m, ns.m] %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}{{ ${use} }}`,
  ),
  // Nested too deep.
  '{% set ns = namespace(l=[]) %}{% for i in range(50000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}',
])('takes too much: %s', (template) => {
  expect(() => render(template)).toThrow(TemplateError)
})

test('neither a template nor a value that is nested too deep is a fault of ours', () => {
  expect(() => new Template(`{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`)).toThrow(TemplateError)
  expect(() => new Template('{% if 1 %}'.repeat(100_000))).toThrow(TemplateError)
  const deep = Array.from({ length: 100_000 }).reduce((inner) => [inner], 1)
  expect(() => render('{{ deep }}', { deep })).toThrow(TemplateError)
})

test.each([
  'constructor',
  '__proto__',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  'call',
])('nothing has an attribute %s of JavaScript’s', (name) => {
  const values = "[1, 1.5, 'a', true, none, [1], (1,), {'a': 1}, range(3), namespace(), range, 'a'.upper, joiner()]"
  const seen = `{% for v in ${values} %}{{ v.${name} is defined }}{{ v['${name}'] is defined }} {% endfor %}`
  expect(render(`${seen}{{ ${name} is defined }}`)).toBe('FalseFalse '.repeat(13) + 'False')
  for (const kind of ['filter', 'test'])
    expect(() => render(kind === 'filter' ? `{{ 1 | ${name} }}` : `{{ 1 is ${name} }}`)).toThrow(TemplateError)
  expect(
    render(`{{ d.${name} }}{{ d['${name}'] }}{{ ${name} }}`, JSON.parse(`{ "d": { "${name}": 1 }, "${name}": 2 }`)),
  ).toBe('112')
})

test('what has no value in JavaScript is not there', () => {
  expect(render("{{ 'x' in d }}{{ d.x is defined }}{{ y is defined }}", { d: { x: undefined }, y: undefined })).toBe(
    'FalseFalseFalse',
  )
})

test('a conversation takes steps in proportion to its length', () => {
  const template = new Template(
    '{%- set ns = namespace(text="", last=messages|length - 1) %}{%- for m in messages[::-1] %}' +
      '{%- set index = (messages|length - 1) - loop.index0 %}{%- if m.role == "user" and ns.last == 0 %}{%- set ns.last = index %}' +
      '{%- endif %}{%- endfor %}{%- for m in messages %}{%- if loop.first or messages[loop.index0 - 1].role != m.role %}' +
      '{{- "<|" + m.role + "|>" + m.content.split("</think>")[-1].strip("\\n") | trim }}{%- set ns.text = ns.text + m.content %}' +
      '{%- endif %}{%- endfor %}',
  )
  const content = 'A line of text.\n'.repeat(80)
  const messages = Array.from({ length: 4096 }, (_, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }))
  expect(template.render({ messages })).toHaveLength(
    4096 * (content.length - 1) + 2048 * ('<|user|>'.length + '<|assistant|>'.length),
  )
})
