/**
 * An answer in one piece that takes its time: white space goes ahead of it, which JSON allows, so that a client that has left
 * is noticed and proxies do not close the connection. The status is out by then, so a failure breaks the body off.
 * @param leave called when the client leaves
 */
export function patientJson(answer: Promise<object>, beatMs: number, leave: () => unknown): Response {
  const encoder = new TextEncoder()
  let beat: ReturnType<typeof setInterval>
  let isLeft = false

  async function write(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const text = JSON.stringify(await answer)
      if (isLeft) return
      controller.enqueue(encoder.encode(text))
      controller.close()
    } catch (error) {
      controller.error(error)
    } finally {
      clearInterval(beat)
    }
  }

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const blank = () => controller.enqueue(encoder.encode('\n'))
      blank()
      beat = setInterval(blank, beatMs)
      void write(controller)
    },
    async cancel() {
      isLeft = true
      clearInterval(beat)
      await leave()
    },
  })
  // Compressed, the white space would not go out before the rest.
  const plain = { 'content-encoding': 'identity', 'cache-control': 'no-transform' }
  return new Response(body, { headers: { 'content-type': 'application/json', ...plain } })
}
