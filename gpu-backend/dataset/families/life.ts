import type { Family } from '../family.ts'

export const EVENTS = 'meeting course concert class tour match'.split(' ')

/** A larger unit, a smaller one, how many of these it is, and what is measured. */
const CONVERSIONS = [
  ['hours', 'minutes', 60, 'film'],
  ['days', 'hours', 24, 'voyage'],
  ['weeks', 'days', 7, 'project'],
  ['dozens', 'eggs', 12, 'supply'],
  ['metres', 'centimetres', 100, 'rope'],
  ['feet', 'inches', 12, 'board'],
] as const
export const MEASURED: readonly string[] = CONVERSIONS.map(([, , , thing]) => thing)

export const ages: Family = {
  name: 'ages',
  draw(random, work, [one, two, three]) {
    const [x, m] = [random.int(5, 29), random.int(2, 5)]
    const d = random.int(3, Math.max(4, x * m - 4))
    const years = x + 2 * x * m - d + random.int(5, 60)
    const second = work.product(`the age of ${two}|how old ${two} is`, m, x, 'years')
    const third = work.difference(`the age of ${three}|how old ${three} is`, second, d, 'years')
    const pair = work.sum(`the age of ${one} and ${two} together|the sum of the first two ages`, second, x, 'years')
    const all = work.sum('the age of all three now|the sum of the ages today', pair, third, 'years')
    work.difference('the gap to the given sum|the years still missing', years, all, 'years')
    return {
      numbers: [x, m, d, years],
      questions: [
        `${one} is ${x} years old. ${two} is ${m} times as old, and ${three} is ${d} years younger than ${two}. By how many years is the sum of their ages below ${years}?`,
        `${two} is ${m} times as old as ${one}, who is ${x}. ${three} is ${d} years younger than ${two}. How many years are missing until their ages add up to ${years}?`,
        `The age of ${one} is ${x}. The age of ${two} is ${m} times that, and ${three} is younger than ${two} by ${d} years. How far is the sum of the three ages from ${years}?`,
      ],
      facts: [
        `${one} is ${x}`,
        `${two} is ${m} times as old`,
        `${three} is ${d} years younger than ${two}`,
        `compare with ${years}`,
      ],
      goal: 'the gap to the given sum|the years still missing',
      unit: 'years',
    }
  },
}

export const schedule: Family = {
  name: 'schedule',
  draw(random, work, [name]) {
    const event = random.pick(EVENTS)
    const [hour, minute] = [random.int(6, 15), random.int(3, 57)]
    const [parts, each, pause] = [random.int(2, 9), random.int(12, 48), random.int(5, 55)]
    const time = (h: number, m: number): string => `${h}:${String(m).padStart(2, '0')}`
    const busy = work.product('the time of the parts|how long all parts take', parts, each, 'minutes')
    const whole = work.sum('the whole time|the time with the break', busy, pause, 'minutes')
    const after = work.sum(`the minutes after ${hour} o'clock|the time since ${hour} o'clock`, whole, minute, 'minutes')
    const [hours, minutes] = work.hours('that time', after)
    const end = work.sum('the hour of the end|the last hour', hour, hours, '')
    return {
      numbers: [hour, minute, parts, each, pause],
      questions: [
        `The ${event} of ${name} starts at ${time(hour, minute)}. It has ${parts} parts of ${each} minutes and one break of ${pause} minutes. At what time does it end?`,
        `A ${event} begins at ${time(hour, minute)} and has ${parts} parts, each ${each} minutes long, with a break of ${pause} minutes. When can ${name} leave?`,
        `${name} plans a ${event}: ${parts} parts of ${each} minutes and ${pause} minutes for a break, from ${time(hour, minute)} on. When is it over?`,
      ],
      facts: [`start at ${time(hour, minute)}`, `${parts} parts of ${each} minutes`, `a break of ${pause} minutes`],
      goal: 'the time of the end|the hour and minute of the end',
      unit: '',
      answer: time(end, minutes),
    }
  },
}

export const conversion: Family = {
  name: 'conversion',
  draw(random, work, [name]) {
    const [big, small, factor, thing] = random.pick(CONVERSIONS)
    const [a, b] = [random.int(2, factor === 7 ? 60 : 9), random.int(2, factor - 1)]
    const [k, extra] = [random.int(2, 9), random.int(4, 49)]
    const whole = a * factor + b
    const lost = (whole % k) + k * random.int(1, 6)
    const main = work.product(`the ${big} in ${small}|the number of ${small} from the ${big}`, a, factor, small)
    const all = work.sum(`the whole ${thing} in ${small}|the full number of ${small}`, main, b, small)
    const left = work.difference(`what is left of the ${thing}|the rest in ${small}`, all, lost, small)
    const part = work.quotient('the size of one part|what each part has', left, k, small)
    work.sum(`the last part|the longer part`, part, extra, small)
    return {
      numbers: [factor, a, b, lost, k, extra],
      questions: [
        `A ${thing} has ${a} ${big} and ${b} ${small}. ${name} removes ${lost} ${small} and makes ${k} equal parts, then adds ${extra} ${small} to the last. How many ${small} has the last part?`,
        `${name} takes ${lost} ${small} from a ${thing} of ${a} ${big} and ${b} ${small} and divides the rest into ${k} equal parts. The last part grows by ${extra} ${small}. How many ${small} does it have then?`,
        `From a ${thing} of ${a} ${big} ${b} ${small}, ${lost} ${small} are removed. ${k} equal parts are made of the rest, and ${extra} ${small} are added to the last one. What is its size in ${small}?`,
      ],
      facts: [
        `${a} ${big} and ${b} ${small}`,
        `one of the ${big} is ${factor} ${small}`,
        `${lost} ${small} removed`,
        `${k} equal parts`,
        `${extra} added to the last`,
      ],
      goal: 'the last part|the longer part',
      unit: small,
    }
  },
}

export const garden: Family = {
  name: 'garden',
  draw(random, work, [name]) {
    const [width, more, price] = [random.int(3, 9), random.int(6, 60), random.int(2, 9)]
    const pond = random.int(5, width * 4)
    const length = work.sum('the length|how long the garden is', width, more, 'metres')
    const area = work.product('the area|the area of the garden', width, length, 'square metres')
    const free = work.difference('the area without the pond|the free area', area, pond, 'square metres')
    work.product('the cost of the grass|what the grass costs', price, free, '$')
    return {
      numbers: [width, more, pond, price],
      questions: [
        `The garden of ${name} is ${width} metres wide and ${more} metres longer than wide. A pond takes ${pond} square metres; the rest gets grass at $${price} a square metre. What does the grass cost?`,
        `${name} has a garden ${width} metres wide, whose length is ${more} metres more. Grass costs $${price} a square metre, but a pond of ${pond} square metres needs none. How many dollars are needed?`,
        `A garden is ${width} metres wide and longer by ${more} metres. ${name} pays $${price} a square metre for grass, except for a pond of ${pond} square metres. Find the cost of the grass.`,
      ],
      facts: [`${width} metres wide`, `${more} metres longer`, `a pond of ${pond} square metres`, `grass at $${price}`],
      goal: 'the cost of the grass|what the grass costs',
      unit: '$',
    }
  },
}
