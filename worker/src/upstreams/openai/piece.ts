/** What came of one of the texts. */
export interface Piece {
  /** Which prompt it goes on from. */
  branch: number
  text: string
  /** Of an engine that tells them. */
  ids: readonly number[] | undefined
  /** `stop`: the end of the text, or a stop string; `length`: no more tokens were asked for. */
  end: 'stop' | 'length' | undefined
  /** The stop string that ended it, of an engine that tells. */
  stop: string | undefined
}
