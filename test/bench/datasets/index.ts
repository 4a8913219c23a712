import { demo } from './demo.ts'
import { demoLong } from './demo-long.ts'
import type { Dataset } from './dataset.ts'
import { readDataset } from './file.ts'

export { DatasetError, formats } from './file.ts'
export type { BenchProblem, Dataset, Mark } from './dataset.ts'

/** Datasets that come with the project: to add one, write its file and name it here. */
export const datasets: readonly Dataset[] = [demo, demoLong]

/** @param source a name of `datasets`, or a JSONL file @throws {DatasetError} */
export async function loadDataset(source: string): Promise<Dataset> {
  return datasets.find(({ name }) => name === source) ?? readDataset(source)
}
