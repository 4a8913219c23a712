import { chainOf, difference, shown } from './chain.ts'
import type { Link } from './chain.ts'
import { percent } from './figures.tsx'
import { inWords } from './reasons.ts'
import type { RecordedRun } from './use-recorded-run.ts'

/** The answer and the thoughts that led there; of plain decoding beside it, in a race. */
export function Result({ ahead, plain }: { ahead: RecordedRun; plain: RecordedRun }) {
  return (
    <div class={plain.recording ? 'results two' : 'results'}>
      <Output run={ahead} title={plain.recording ? 'Looking ahead' : undefined} />
      {plain.recording && <Output run={plain} title="Plain decoding" />}
    </div>
  )
}

function Output({ run, title }: { run: RecordedRun; title: string | undefined }) {
  const { status, steps, answer, recording, degraded, finish_reason } = run
  const links = chainOf(steps, recording?.events ?? [])
  return (
    <section aria-label={title ?? 'Result'} aria-busy={status === 'running'}>
      {title && <h2>{title}</h2>}
      {answer && (
        <div class="answer">
          <h3>Answer</h3>
          <p>{boxed(answer)}</p>
        </div>
      )}
      {degraded.length > 0 && (
        <p class="note">The {degraded.join(' and the ')} failed: the target went on by plain decoding.</p>
      )}
      {finish_reason === 'length' && <p class="note">Cut short: the limit of tokens was reached.</p>}
      {links.length > 0 && <h3>Chain of thought</h3>}
      <ol class="chain">
        {links.map((link, i) => (
          <LinkItem link={link} key={i} />
        ))}
      </ol>
      {status === 'running' && links.length === 0 && <p class="hint">waiting for the first step …</p>}
      {status === 'stopped' && <p class="note">Stopped.</p>}
    </section>
  )
}

/** What the model put in a box, as it is trained to, stands out. */
const boxed = (answer: string) =>
  answer.split(/(\\boxed\{[^{}]*\})/).map((part) => (part.startsWith('\\boxed{') ? <b>{part.slice(7, -1)}</b> : part))

function LinkItem({ link }: { link: Link }) {
  if (link.fate === 'plain')
    return (
      <li class="plain">
        <Origin who="Target" what="wrote this by itself" />
        <p>{shown(link.text)}</p>
      </li>
    )
  const { fate, text, reason = '', probability, rejected, target } = link
  const sure = probability === undefined ? '' : ` (${percent(probability)})`
  if (fate === 'drafted')
    return (
      <li class="drafted">
        <Origin who="Draft" what="not ruled on yet" />
        <p>{shown(text)}</p>
      </li>
    )
  if (fate === 'accepted')
    return (
      <li class="accepted">
        <Origin who="Draft" what={`accepted: ${inWords(reason, true)}${sure}`} />
        <p>{shown(text)}</p>
        {target && (
          <p class="said after">
            <span class="who">Target would have said</span>
            {shown(target)}
          </p>
        )}
      </li>
    )
  if (fate === 'rejected')
    return (
      <li class="rejected">
        <Origin who="Draft" what={`rejected: ${inWords(reason, false)}${sure}`} />
        <p>
          <del>{shown(text)}</del>
        </p>
      </li>
    )
  if (rejected === undefined)
    return (
      <li class="corrected own">
        <Origin who="Target" what="its own next step" />
        <p>{shown(text)}</p>
      </li>
    )
  const { start, a, b, end } = difference(shown(rejected), shown(text))
  return (
    <li class="corrected">
      <Origin who="Target" what={`corrected the draft: ${inWords(reason, false)}${sure}`} />
      <p class="said">
        <span class="who">Draft said</span>
        {start}
        {a && <del>{a}</del>}
        {end}
      </p>
      <p>
        <span class="who">Target said</span>
        {start}
        {b && <ins>{b}</ins>}
        {end}
      </p>
    </li>
  )
}

function Origin({ who, what }: { who: string; what: string }) {
  return (
    <div class="origin">
      <b>{who}</b> {what}
    </div>
  )
}
