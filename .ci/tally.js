// Sums what vitest reported for each package. A package without a report ran nothing, which is a failure.
import { existsSync, readFileSync } from 'node:fs'

const { workspaces } = JSON.parse(readFileSync('package.json', 'utf8'))
let passed = 0
let failed = 0
for (const workspace of workspaces) {
  const path = `${workspace}/.cache/vitest.json`
  const report = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
  if (!report) console.error(`${workspace}: no test report`)
  passed += report?.numPassedTests ?? 0
  // A suite that fails to load has no tests of its own to count.
  const broken = report?.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0)
  failed += report ? report.numFailedTests + broken.length : 1
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
