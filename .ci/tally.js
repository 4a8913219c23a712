// Sums what vitest reported for each package, and says again which tests failed and why: the log is long.
// A package without a report ran nothing, which is a failure.
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
  for (const suite of report?.testResults ?? []) {
    if (suite.status === 'failed' && suite.message) console.error(`✗ ${suite.name}\n${suite.message}`)
    for (const test of suite.assertionResults)
      if (test.status === 'failed')
        console.error(`✗ ${suite.name}: ${test.fullName}\n${test.failureMessages.join('\n').slice(0, 2000)}`)
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
