import type { Wordings } from './wording.ts'

/**
 * The second style: what the other wordings say, in words that they do not use. A draft that writes so agrees with the
 * target by meaning and seldom by token.
 */
export const FAR_WORDINGS: Wordings = {
  question: [(w) => w.the],
  facts: [(w) => `Known from the text: ${w.the}.`, (w) => `I note ${w.the}.`, (w) => `What is given: ${w.the}.`],
  goal: [(w) => `Wanted: ${w.the}.`, (w) => `To be found is ${w.the}.`, (w) => `They ask me for ${w.the}.`],
  sum: [
    (w) => `Adding up ${w.a} and ${w.b} brings ${w.the}:\n${w.calc}\nHence ${w.r}.`,
    (w) => `I get ${w.the} from ${w.a} plus ${w.b}:\n${w.calc}\n${w.r} it is.`,
    (w) => `With ${w.a}+${w.b} comes ${w.the}.\n${w.calc}\nResult: ${w.r}.`,
  ],
  difference: [
    (w) => `From ${w.a} goes ${w.b}, which brings ${w.the}:\n${w.calc}\nHence ${w.r}.`,
    (w) => `I get ${w.the} from ${w.a} minus ${w.b}:\n${w.calc}\n${w.r} it is.`,
    (w) => `With ${w.a}-${w.b} comes ${w.the}.\n${w.calc}\nResult: ${w.r}.`,
  ],
  product: [
    (w) => `Taking ${w.b} in all ${w.a} times brings ${w.the}:\n${w.calc}\nHence ${w.r}.`,
    (w) => `I get ${w.the} from ${w.a} times ${w.b}:\n${w.calc}\n${w.r} it is.`,
    (w) => `With ${w.a}×${w.b} comes ${w.the}.\n${w.calc}\nResult: ${w.r}.`,
  ],
  quotient: [
    (w) => `Splitting ${w.a} by ${w.b} brings ${w.the}:\n${w.calc}\nHence ${w.r}.`,
    (w) => `I get ${w.the} from ${w.a} divided by ${w.b}:\n${w.calc}\n${w.r} it is.`,
    (w) => `With ${w.a}/${w.b} comes ${w.the}.\n${w.calc}\nResult: ${w.r}.`,
  ],
  hours: [
    (w) => `60 minutes are one hour, so for ${w.the}:\n${w.calc}\nHence ${w.b} hours and ${w.r}.`,
    (w) => `Counted in hours, for ${w.the}:\n${w.calc}\nResult: ${w.b} hours and ${w.r}.`,
  ],
  check: [(w) => `Testing ${w.the} once more: ${w.calc}, fine.`, (w) => `Does ${w.the} hold? ${w.calc}, it does.`],
  conclusion: [
    (w) => `Hence ${w.the} comes to ${w.r}.`,
    (w) => `With that, ${w.the} turns out to be ${w.r}.`,
    (w) => `Result: ${w.the} equals ${w.r}.`,
  ],
  summary: [(w) => `Collected: ${w.the}.`, (w) => `Looking back, ${w.the}.`],
}
