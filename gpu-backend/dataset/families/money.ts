import type { Family } from '../family.ts'

export const GOODS = 'pens books cups bags hats toys lamps plates chairs shirts boxes games'.split(' ')
export const ARTICLES = 'coat bike table phone lamp camera bed tent'.split(' ')

export const purchase: Family = {
  name: 'purchase',
  draw(random, work, [name]) {
    const [x, y] = random.several(GOODS, 2)
    const [a, b, p, q] = [random.int(2, 9), random.int(2, 9), random.int(4, 39), random.int(4, 39)]
    const paid = 10 * Math.ceil((a * p + b * q) / 10) + 10 * random.int(0, 9)
    const first = work.product(`the cost of the ${x}|the sum for the ${x}`, a, p, '$')
    const second = work.product(`the cost of the ${y}|the sum for the ${y}`, b, q, '$')
    const total = work.sum('the total cost|the whole bill', first, second, '$')
    work.difference('the change|the money that comes back', paid, total, '$')
    return {
      numbers: [a, p, b, q, paid],
      questions: [
        `${name} buys ${a} ${x} at $${p} each and ${b} ${y} at $${q} each, and pays with $${paid}. How much change does ${name} get?`,
        `In a shop, ${x} cost $${p} each and ${y} cost $${q} each. ${name} takes ${a} ${x} and ${b} ${y} and pays $${paid}. What is the change in dollars?`,
        `${name} has $${paid} and buys ${a} ${x} for $${p} each and then ${b} ${y} for $${q} each. How many dollars come back?`,
      ],
      facts: [`${a} ${x} at $${p} each`, `${b} ${y} at $${q} each`, `$${paid} paid`],
      goal: 'the change|the money that comes back',
      unit: '$',
    }
  },
}

export const discount: Family = {
  name: 'discount',
  draw(random, work, [name]) {
    const item = random.pick(ARTICLES)
    const price = 10 * random.int(6, 99)
    const tens = random.int(2, 9)
    const percent = 10 * tens
    const fee = random.int(5, 149)
    const tenth = work.quotient10('10% of the price|a tenth of the price', price, '$')
    const off = work.product(`the discount of ${10 * tens}%|the ${10 * tens}% of the price`, tens, tenth, '$')
    const reduced = work.difference('the reduced price|the price after the discount', price, off, '$')
    work.sum('the final cost|the cost with delivery', reduced, fee, '$')
    return {
      numbers: [price, percent, fee],
      questions: [
        `A ${item} costs $${price}. ${name} gets a discount of ${percent}% and then pays $${fee} for delivery. What is the final cost in dollars?`,
        `${name} buys a ${item} priced at $${price} with ${percent}% off. Delivery costs another $${fee}. How much does ${name} pay in all?`,
        `The price of a ${item} is $${price}. It is reduced by ${percent}%, and delivery adds $${fee}. How many dollars does ${name} pay?`,
      ],
      facts: [`price $${price}`, `${percent}% off`, `$${fee} for delivery`],
      goal: 'the final cost|the cost with delivery',
      unit: '$',
    }
  },
}

export const savings: Family = {
  name: 'savings',
  draw(random, work, [name]) {
    const [start, weekly, weeks] = [random.int(15, 180), random.int(11, 48), random.int(3, 9)]
    const spent = random.int(12, start)
    const [rest, more] = [random.int(3, 24), random.int(3, 9)]
    const goal = start + weekly * weeks - spent + rest * more
    const saved = work.product('the money saved|the savings of these weeks', weeks, weekly, '$')
    const sum = work.sum('the money before the trip|the sum at that time', start, saved, '$')
    const left = work.difference('the money left|what remains after the trip', sum, spent, '$')
    const missing = work.difference('the missing money|what is still needed', goal, left, '$')
    work.quotient('the number of weeks|the time still needed', missing, more, 'weeks')
    return {
      numbers: [start, weekly, weeks, spent, goal, more],
      questions: [
        `${name} has $${start} and saves $${weekly} a week for ${weeks} weeks. Then a trip costs $${spent}. ${name} wants $${goal} and now saves $${more} a week. How many more weeks are needed?`,
        `Starting with $${start}, ${name} puts aside $${weekly} every week for ${weeks} weeks and then spends $${spent} on a trip. To reach $${goal} by saving $${more} a week, how many more weeks does it take?`,
        `${name} owns $${start}, saves $${weekly} in each of ${weeks} weeks and pays $${spent} for a trip. The aim is $${goal}. With $${more} a week from then on, how many weeks remain?`,
      ],
      facts: [
        `$${start} at first`,
        `$${weekly} a week for ${weeks} weeks`,
        `$${spent} for a trip`,
        `the aim is $${goal}`,
        `then $${more} a week`,
      ],
      goal: 'the number of weeks|the time still needed',
      unit: 'weeks',
    }
  },
}

export const offers: Family = {
  name: 'offers',
  draw(random, work, [name]) {
    const item = random.pick(GOODS)
    const [k, m, n] = [random.int(2, 9), random.int(2, 9), random.int(3, 9)]
    const low = random.int(6, 60)
    const high = low + random.int(2, 35)
    const dear = work.quotient('the price of one in the first shop|the first price for each', k * high, k, '$')
    const cheap = work.quotient('the price of one in the second shop|the second price for each', m * low, m, '$')
    const gap = work.difference('the difference for each|what one saves', dear, cheap, '$')
    work.product('the money saved|the whole saving', n, gap, '$')
    return {
      numbers: [k, k * high, m, m * low, n],
      questions: [
        `One shop sells ${k} ${item} for $${k * high}, another sells ${m} ${item} for $${m * low}. ${name} needs ${n}. How much does ${name} save in the second shop?`,
        `In the first shop ${k} ${item} cost $${k * high}; in the second shop ${m} ${item} cost $${m * low}. How many dollars cheaper are ${n} ${item} in the second shop?`,
        `${name} can buy ${k} ${item} for $${k * high} in one shop or ${m} ${item} for $${m * low} in a second shop. What is saved on ${n} ${item} by choosing the second?`,
      ],
      facts: [`first shop ${k} for $${k * high}`, `second shop ${m} for $${m * low}`, `${n} are needed`],
      goal: 'the money saved|the whole saving',
      unit: '$',
    }
  },
}
