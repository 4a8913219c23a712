export { Model, slotBytes, type ModelOptions } from './model.ts'
export { causalRow, type Row } from './row.ts'
export { assertSentenceEncoder, SentenceEncoder, type SentenceEncoderOptions } from './sentence-encoder.ts'
export { joinedLogits, wholeLogits, type Reduction, type Scores, type TopScores } from './scores.ts'
