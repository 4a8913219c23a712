/** The places of a number, largest first and zeros left out: 307 → [300, 7]. */
function places(n: number): number[] {
  const digits = String(n)
  return Array.from(digits)
    .map((d, i) => Number(d) * 10 ** (digits.length - 1 - i))
    .filter((v) => v > 0)
}

// One calculation a line: easy to read, and a line break before a digit is one token where a comma and a space are two.
const chain = (parts: string[]): string => parts.join('\n')

/** Adds the places of the smaller number one after the other: 47+38 → `47+30=77`, `77+8=85`. */
export function addition(a: number, b: number): string {
  const [large, small] = a >= b ? [a, b] : [b, a]
  let sum = large
  return chain(places(small).map((p) => `${sum}+${p}=${(sum += p)}`))
}

/** Takes the places of `b` away one after the other: 85-38 → `85-30=55`, `55-8=47`. */
export function subtraction(a: number, b: number): string {
  let rest = a
  return chain(places(b).map((p) => `${rest}-${p}=${(rest -= p)}`))
}

/** Multiplies place by place, `a` of one digit: 6×14 → `6×10=60`, `6×4=24`, `60+24=84`. */
export function multiplication(a: number, b: number): string {
  const parts = places(b)
  const products = parts.map((p) => `${a}×${p}=${a * p}`)
  let sum = a * parts[0]!
  const sums = parts.slice(1).map((p) => `${sum}+${a * p}=${(sum += a * p)}`)
  return chain([...products, ...sums])
}

/** Divides by partial quotients, `b` of one digit or 10: 84/6 → `6×10=60`, `84-60=24`, `24/6=4`, `10+4=14`. */
export function division(a: number, b: number): string {
  const parts = b === 10 ? [a / b] : places(a / b)
  let rest = a
  let quotient = 0
  const out: string[] = []
  for (const [i, p] of parts.entries()) {
    if (i === parts.length - 1) out.push(`${rest}/${b}=${p}`)
    else out.push(`${b}×${p}=${b * p}`, `${rest}-${b * p}=${(rest -= b * p)}`)
  }
  for (const [i, p] of parts.entries()) {
    if (i > 0) out.push(`${quotient}+${p}=${quotient + p}`)
    quotient += p
  }
  return chain(out)
}

/** Whether `a - b` borrows in some place: such a result is worth a check. */
export function borrows(a: number, b: number): boolean {
  return [10, 100, 1000].some((unit) => a % unit < b % unit)
}
