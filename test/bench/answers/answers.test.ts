import { expect, test } from 'vitest'
import { equivalent } from './equivalent.ts'
import { extractAnswer } from './extract.ts'

const r = String.raw

test.each([
  [r`so \boxed{3}, no: \boxed{4}`, '4'],
  [r`\boxed{\frac{1}{2}}`, r`\frac{1}{2}`],
  [r`\boxed{\{1, 2\}}`, r`\{1, 2\}`],
  [r`\boxed {7} and \fbox{8}`, '7'],
  [r`\boxed{5} and, cut off, \boxed{6`, '5'],
  ['72 is half.\n#### 72', '72'],
  ['The answer is 12.', '12'],
  ['**Answer: 12**', '12'],
  ['The final answer is $\\frac{3}{4}$.\nThank you', r`$\frac{3}{4}$`],
  ['I counted 12 of them.', undefined],
  [r`\boxed{}`, undefined],
  ['', undefined],
])('%j answers %j', (text, answer) => expect(extractAnswer(text)).toBe(answer))

const same: [string, string][] = [
  ['0.5', r`\frac{1}{2}`],
  ['1/2', r`\dfrac12`],
  [r`\tfrac{14}{3}`, '14/3'],
  [r`4\frac{1}{2}`, '4.5'],
  ['72.0', '72'],
  ['-7', '−7'],
  ['+5', '5'],
  ['1,234', '1234'],
  [r`1{,}234{,}567`, '1234567'],
  [r`10\,000`, '10,000'],
  [r`\$1,250.50`, '1250.5'],
  ['$18', '18'],
  [r`50\%`, '50'],
  [r`50\%`, '0.5'],
  ['12.5 %', r`\frac{1}{8}`],
  [r`12\text{ cm}`, '12'],
  [r`12\text{cm}`, '12'],
  ['12cm', '12'],
  [r`3\text{ m}^2`, '3'],
  ['5.4 square units', '5.4'],
  [r`\frac{3}{4} \mbox{ inches}`, '0.75'],
  [r`90^\circ`, '90'],
  [r`90^{\circ}`, '90°'],
  ['x = 5', '5'],
  [r`x \in [1, 2)`, '[1,2)'],
  ['y = 2x + 1', 'y=1+2x'],
  [r`2\sqrt{2}`, r`\sqrt{8}`],
  [r`\frac{\sqrt{3}}{2}`, r`\frac{3}{2\sqrt{3}}`],
  ['sqrt(8)', r`2\sqrt2`],
  ['2pi', r`2\pi`],
  ['2^{10}', '1024'],
  ['2**10', '1024'],
  [r`\binom{5}{2}`, '10'],
  ['(x-5)(x+2)', 'x^2-3x-10'],
  [r`\frac{x+1}{2}`, r`\frac12 x + \frac12`],
  ['6 - 5i', '-5i + 6'],
  [r`\left( 3, \frac{\pi}{2} \right)`, r`(3, 0.5\pi)`],
  [r`(-\infty, 2]`, r`(-\infty,2]`],
  ['1, 2, 3', '3,1,2'],
  [r`\{1,2\}`, r`\{2,1\}`],
  [r`\begin{pmatrix} 1 \\ 2 \end{pmatrix}`, r`\begin{pmatrix}1\\2\end{pmatrix}`],
  [r`\text{Evelyn}`, 'evelyn'],
  [r`\textbf{(C)}`, 'C'],
  ['(C)', r`\text{C}`],
  ['11:25', '11:25'],
  ['033', '33'],
  [r`\(42\)`, '42.'],
]
test.each(same)('%j is %j', (a, b) => {
  expect(equivalent(a, b)).toBe(true)
  expect(equivalent(b, a)).toBe(true)
})

const different: [string, string][] = [
  ['0.333', r`\frac{1}{3}`],
  ['3.14', r`\pi`],
  ['12', '13'],
  ['1,234', '1,2,34'],
  ['-5', '5'],
  ['3x', '3y'],
  ['x^2-3x-10', 'x^2-3x-11'],
  ['y=2x', 'y=3x'],
  ['(1,2)', '(2,1)'],
  ['[1,2]', '[1,2)'],
  ['[1,2]', '(1,2)'],
  ['[1,2)', '(1,2)'],
  ['1,2', '1,2,3'],
  ['1,1,2', '1,2,2'],
  ['1,2', '12'],
  [r`\{1,2\}`, r`\{1,3\}`],
  [r`\begin{pmatrix} 1 \\ 2 \end{pmatrix}`, r`\begin{pmatrix} 1 \\ 3 \end{pmatrix}`],
  ['11:25', '11:26'],
  ['east', 'seat'],
  [r`\text{east}`, r`\text{west}`],
  ['A', 'B'],
  [r`50\%`, '5'],
  [r`\frac{`, '3'],
  ['', '0'],
  ['I do not know', '3'],
  ['9^{9^{9^{9^9}}}', '7'],
]
test.each(different)('%j is not %j', (a, b) => {
  expect(equivalent(a, b)).toBe(false)
  expect(equivalent(b, a)).toBe(false)
})
