/** What `worker/playground/build.js` makes; wrangler bundles it as text. */
declare module '*.html' {
  const text: string
  export default text
}
declare module '*.txt' {
  const text: string
  export default text
}
