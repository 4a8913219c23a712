/** Of all packages: limits that only end what hangs. No test may depend on how fast a machine is. */
export const patience = {
  testTimeout: 600_000,
  hookTimeout: 600_000,
  expect: { poll: { timeout: 300_000 } },
}
