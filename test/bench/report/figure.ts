/** An SVG file of a plot, legible on a light and on a dark page. */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

/** By name in both colour schemes; told apart by people who see few colours too, and by their marks. */
const series = {
  ar: { light: '#7a7872', dark: '#a3a199', symbol: 'circle' },
  sd: { light: '#2a78d6', dark: '#3987e5', symbol: 'square' },
  lr: { light: '#eb6834', dark: '#d95926', symbol: 'triangle' },
  'lr+sd': { light: '#1a9e6f', dark: '#199e70', symbol: 'diamond' },
  auto: { light: '#4a3aa7', dark: '#9085e9', symbol: 'star' },
  draft: { light: '#eda100', dark: '#c98500', symbol: 'circle' },
  verify: { light: '#2a78d6', dark: '#3987e5', symbol: 'circle' },
  judge: { light: '#4a3aa7', dark: '#9085e9', symbol: 'circle' },
  idle: { light: '#c3c2b7', dark: '#52514e', symbol: 'circle' },
  wire: { light: '#7a7872', dark: '#a3a199', symbol: 'circle' },
  accepted: { light: '#1a9e6f', dark: '#199e70', symbol: 'circle' },
  rejected: { light: '#e34948', dark: '#e66767', symbol: 'cross' },
  void: { light: '#c3c2b7', dark: '#52514e', symbol: 'circle' },
  target: { light: '#2a78d6', dark: '#3987e5', symbol: 'diamond' },
  synchronous: { light: '#2a78d6', dark: '#3987e5', symbol: 'circle' },
  overlapped: { light: '#eb6834', dark: '#d95926', symbol: 'triangle' },
} as const

const names = Object.keys(series)
const variable = (name: string): string => `--${name.replaceAll(/\W/g, '-')}`

/** For the plot's `color` and `symbol` channels, which are given names of series. */
export const colorScale = { domain: names, range: names.map((name) => `var(${variable(name)})`) }
export const symbolScale = { domain: names, range: Object.values(series).map(({ symbol }) => symbol) }

const colors = (scheme: 'light' | 'dark') =>
  Object.entries(series).map(([name, color]) => `${variable(name)}:${color[scheme]}`)

const STYLE = `
svg{color:var(--ink);background:var(--surface);${['--surface:#fcfcfb', '--ink:#33322f', ...colors('light')].join(';')}}
@media (prefers-color-scheme:dark){svg{${['--surface:#1a1a19', '--ink:#d8d7ce', ...colors('dark')].join(';')}}}`

const LEGEND_HEIGHT = 34

/**
 * @param title for those who cannot see it
 * @param legend names of the series in it; none where the axes say it
 */
export function figure(title: string, legend: readonly string[], options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html></html>')
  const { marginTop = legend.length > 0 ? 24 + LEGEND_HEIGHT : 30, marginLeft = 54, marks = [] } = options
  const svg = Plot.plot({
    document,
    width: 720,
    height: 380,
    marginBottom: 44,
    marginRight: 24,
    style: { fontSize: '13px' },
    ...options,
    marginTop,
    marginLeft,
    color: colorScale,
    symbol: symbolScale,
    marks: [...marks, ...legendMarks(legend, marginTop, marginLeft)],
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', title)
  const style = document.createElement('style')
  style.textContent = STYLE
  svg.prepend(style)
  return `${svg.outerHTML}\n`
}

/** Marks and names in a row above the plot. */
function legendMarks(legend: readonly string[], marginTop: number, marginLeft: number): Plot.Markish[] {
  let x = 10 - marginLeft
  return legend.flatMap((name) => {
    const place = { frameAnchor: 'top-left', dx: x, dy: 34 - marginTop, facet: 'super' } as const
    x += 36 + 7.5 * name.length
    return [
      Plot.dot([name], { ...place, fill: (d: string) => d, symbol: (d: string) => d, r: 5 }),
      Plot.text([name], {
        ...place,
        dx: place.dx + 12,
        text: (d: string) => d,
        textAnchor: 'start',
        lineAnchor: 'middle',
      }),
    ]
  })
}
