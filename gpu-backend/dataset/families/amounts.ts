import type { Family } from '../family.ts'

export const PIECES = 'beads cards stamps marbles coins shells stones balls'.split(' ')
export const COLOURS = 'red blue green white black yellow'.split(' ')
export const TREATS = 'sweets nuts grapes cookies'.split(' ')

export const fractions: Family = {
  name: 'fractions',
  draw(random, work, [name]) {
    const x = random.pick(PIECES)
    const [one, two] = random.several(COLOURS, 2)
    const [v, z] = [random.int(3, 9), random.int(3, 9)]
    const [u, y] = [random.int(2, v - 1), random.int(2, z - 1)]
    const all = v * random.int(4, 90)
    const part = work.quotient(`one part of all ${x}|all ${x} divided by ${v}`, all, v, x)
    const first = work.product(`the number of ${one} ${x}|the count of ${one} ones`, u, part, x)
    const rest = work.difference(`the rest of the ${x}|what is not ${one}`, all, first, x)
    const small = work.quotient(`one part of the rest|the rest divided by ${z}`, rest, z, x)
    work.product(`the number of ${two} ${x}|the count of ${two} ones`, y, small, x)
    return {
      numbers: [all, u, v, y, z],
      questions: [
        `${name} has ${all} ${x}. ${u}/${v} of them are ${one}, and ${y}/${z} of the rest are ${two}. How many ${x} are ${two}?`,
        `Of the ${all} ${x} in a box, ${u}/${v} are ${one}. Of the others, ${y}/${z} are ${two}. How many ${two} ${x} are there?`,
        `A bag holds ${all} ${x}: ${u}/${v} are ${one} and ${y}/${z} of what remains are ${two}. How many ${two} ${x} does ${name} find?`,
      ],
      facts: [`${all} ${x}`, `${u}/${v} are ${one}`, `${y}/${z} of the rest are ${two}`],
      goal: `the number of ${two} ${x}|the count of ${two} ones`,
      unit: x,
    }
  },
}

export const sharing: Family = {
  name: 'sharing',
  draw(random, work, [name]) {
    const x = random.pick([...TREATS, ...PIECES])
    const [packs, each, friends] = [random.int(3, 9), random.int(12, 60), random.int(2, 9)]
    const own = random.int(5, 60)
    const given = ((packs * each) % friends) + friends * random.int(1, 12)
    const all = work.product(`the number of all ${x}|the count before giving`, packs, each, x)
    const left = work.difference(`what is left of the ${x}|the rest of the ${x}`, all, given, x)
    const share = work.quotient('the share of each friend|what each friend gets', left, friends, x)
    work.sum('what each friend has in the end|the final number for each friend', share, own, x)
    return {
      numbers: [packs, each, given, friends, own],
      questions: [
        `${name} has ${packs} packs of ${each} ${x}. After giving ${given} away, ${name} shares the rest equally among ${friends} friends, who had ${own} each. How many ${x} does each friend have now?`,
        `${packs} packs hold ${each} ${x} each. ${name} gives away ${given} and divides the rest among ${friends} friends. Each friend already had ${own}. How many ${x} does one friend have in the end?`,
        `From ${packs} packs with ${each} ${x} in each, ${given} are given away, and ${friends} friends of ${name} share the others equally. If every friend had ${own} before, how many has each now?`,
      ],
      facts: [
        `${packs} packs of ${each} ${x}`,
        `${given} given away`,
        `${friends} friends share`,
        `each had ${own} before`,
      ],
      goal: 'what each friend has in the end|the final number for each friend',
      unit: x,
    }
  },
}

export const mixture: Family = {
  name: 'mixture',
  draw(random, work, [name]) {
    const [one, two] = random.several(COLOURS, 2)
    const a = random.int(2, 4)
    const b = random.int(a + 1, 5)
    const litres = (a + b) * random.int(3, 140)
    const p = random.int(2, 9)
    const parts = work.sum('the number of parts|the sum of the parts', a, b, 'parts')
    const part = work.quotient('the size of one part|what one part holds', litres, parts, 'litres')
    const first = work.product(`the amount of ${one} paint|the ${one} paint`, a, part, 'litres')
    const second = work.product(`the amount of ${two} paint|the ${two} paint`, b, part, 'litres')
    const gap = work.difference(`how much more ${two} there is|the extra ${two} paint`, second, first, 'litres')
    work.product(`the cost of the extra ${two} paint|what the extra ${two} costs`, p, gap, '$')
    return {
      numbers: [litres, a, b, p],
      questions: [
        `${name} mixes ${litres} litres of paint from ${a} parts ${one} and ${b} parts ${two}. What do the extra litres of ${two} cost at $${p} a litre?`,
        `A paint has ${a} parts ${one} and ${b} parts ${two}, ${litres} litres in all. ${name} pays $${p} for each litre by which ${two} exceeds ${one}. What is the cost of that?`,
        `For ${litres} litres of paint, ${name} takes ${a} parts ${one} to ${b} parts ${two}. The extra ${two} costs $${p} a litre. How many dollars is that in all?`,
      ],
      facts: [`${litres} litres`, `${a} parts ${one}`, `${b} parts ${two}`, `$${p} a litre`],
      goal: `the cost of the extra ${two} paint|what the extra ${two} costs`,
      unit: '$',
    }
  },
}

export const average: Family = {
  name: 'average',
  draw(random, work, [name]) {
    const [a, b, c] = [random.int(21, 95), random.int(21, 95), random.int(21, 95)]
    const mean = Math.ceil((a + b + c) / 4) + random.int(1, 20)
    const bonus = random.int(3, 19)
    const two = work.sum('the first two scores together|the sum of the first two', a, b, 'points')
    const three = work.sum('the three scores together|the sum of all three', two, c, 'points')
    const needed = work.product('the points needed in all|the sum of four scores', 4, mean, 'points')
    const fourth = work.difference('the fourth score|the points of the fourth test', needed, three, 'points')
    work.difference('the score without the bonus|the points before the bonus', fourth, bonus, 'points')
    return {
      numbers: [a, b, c, mean, bonus],
      questions: [
        `${name} scored ${a}, ${b} and ${c} in three tests. The mean of four tests must be ${mean}. A bonus of ${bonus} counts for the fourth. How many points must the fourth test bring without the bonus?`,
        `The first three scores of ${name} are ${a}, ${b} and ${c}. With a fourth score, which includes a bonus of ${bonus}, the mean shall be ${mean}. What is the fourth score without the bonus?`,
        `After tests with ${a}, ${b} and ${c} points, ${name} wants a mean of ${mean} over four tests and gets ${bonus} bonus points in the last. How many points are needed before the bonus?`,
      ],
      facts: [`scores ${a}, ${b} and ${c}`, `the mean of four is ${mean}`, `the bonus is ${bonus}`],
      goal: 'the score without the bonus|the points before the bonus',
      unit: 'points',
    }
  },
}
