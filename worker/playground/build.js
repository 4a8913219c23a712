// Builds the playground into worker/dist: one page with all it needs inside, and the policy under which it is served.
// `wrangler.toml` has this run whenever the worker is built; plain JavaScript, so that any Node can.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

const { outputFiles } = await build({
  entryPoints: [here('src/main.tsx'), here('src/style.css')],
  outdir: 'out',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2023',
  alias: { react: 'preact/hooks' },
  jsx: 'automatic',
  jsxImportSource: 'preact',
  write: false,
})
const output = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).text.trim()
// Inside an element both would end it.
const script = output('.js').replaceAll('</script', '<\\/script')
const style = output('.css').replaceAll('</style', '<\\/style')

const page = readFileSync(here('page.html'), 'utf8')
  .replace('/* style */', () => style)
  .replace('/* script */', () => script)

/** Of all that stands in an element, white space included. */
const hash = (element) => {
  const [, contents] = new RegExp(`<${element}[^>]*>([^]*?)</${element}>`).exec(page)
  return `'sha256-${createHash('sha256').update(contents).digest('base64')}'`
}
const policy = [
  "default-src 'none'",
  `script-src ${hash('script')}`,
  `style-src ${hash('style')}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

mkdirSync(here('../dist'), { recursive: true })
save('../dist/playground.html', page)
save('../dist/playground-policy.txt', policy)

// Several workers may be built at a time.
function save(path, text) {
  const file = here(path)
  writeFileSync(`${file}.${process.pid}`, text)
  renameSync(`${file}.${process.pid}`, file)
}
