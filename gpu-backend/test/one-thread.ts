/** Of all tests here: a second thread waits for work in a busy loop, and takes its core from other tests. */
import { shareThreads } from '../src/onnxruntime/index.ts'

shareThreads(1)
