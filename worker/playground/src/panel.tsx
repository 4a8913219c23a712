import type { ComponentChildren } from 'preact'

const isWide = () => matchMedia('(width >= 60rem)').matches

/** Beside the run where there is room; else folded. */
export function Panel({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <details class="panel" open={isWide()}>
      <summary>
        <h2>{title}</h2>
      </summary>
      {children}
    </details>
  )
}
