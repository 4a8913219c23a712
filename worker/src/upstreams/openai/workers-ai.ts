/** Workers AI by its binding, as Cloudflare has it: models by name, without an address or a key. */
export interface AiBinding {
  run(model: string, input: object): Promise<unknown>
}

/** Stands for the address that there is none of. */
export const WORKERS_AI = 'http://workers-ai'

/** Has run what would be sent. What the binding throws is a refusal, but for a lack of capacity (3040), which passes. */
export const fetchFrom =
  (ai: AiBinding, model: string): typeof fetch =>
  async (_, init) => {
    try {
      const input: unknown = await new Response(init?.body).json()
      return Response.json(await ai.run(model, input as object))
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return Response.json({ error: { message } }, { status: /\b3040\b/.test(message) ? 503 : 400 })
    }
  }
