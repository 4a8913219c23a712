import type { Family } from '../family.ts'

export const PRODUCTS = 'bolts bottles wheels tiles bricks pots'.split(' ')

export const hike: Family = {
  name: 'hike',
  draw(random, work, [name]) {
    const [pace, days, later] = [random.int(12, 45), random.int(2, 9), random.int(2, 9)]
    const [slow, price] = [random.int(5, 40), random.int(2, 9)]
    const trail = pace * days + slow * later
    const done = work.product('the way of the first days|the distance so far', days, pace, 'km')
    const rest = work.difference('the rest of the trail|the distance that remains', trail, done, 'km')
    const daily = work.quotient('the distance for each later day|the new daily distance', rest, later, 'km')
    work.product('the cost for a later day|what such a day costs', price, daily, '$')
    return {
      numbers: [trail, pace, days, later, price],
      questions: [
        `${name} hikes ${pace} km a day for ${days} days on a trail of ${trail} km and walks the rest in ${later} equal days. Each km costs $${price}. What does a later day cost?`,
        `A trail is ${trail} km long. ${name} walks ${pace} km on each of ${days} days and then needs ${later} equal days, at $${price} a km. How many dollars does one later day cost?`,
        `For ${days} days ${name} walks ${pace} km a day; ${later} equal days complete the trail of ${trail} km. At $${price} a km, what is the cost of one later day?`,
      ],
      facts: [
        `a trail of ${trail} km`,
        `${pace} km a day for ${days} days`,
        `then ${later} equal days`,
        `$${price} a km`,
      ],
      goal: 'the cost for a later day|what such a day costs',
      unit: '$',
    }
  },
}

export const drive: Family = {
  name: 'drive',
  draw(random, work, [name]) {
    const [s, t] = [random.int(31, 98), random.int(31, 98)]
    const [h, g] = [random.int(2, 8), random.int(2, 8)]
    const extra = random.int(20, 180)
    const total = s * h + t * g + extra
    const first = work.product('the first distance|the way before the stop', h, s, 'km')
    const second = work.product('the second distance|the way after the stop', g, t, 'km')
    const both = work.sum('the whole distance so far|the sum of both distances', first, second, 'km')
    work.difference('the distance that is left|the way still to go', total, both, 'km')
    return {
      numbers: [s, h, t, g, total],
      questions: [
        `${name} drives ${h} hours at ${s} km an hour and, after a stop, ${g} hours at ${t} km an hour. The journey is ${total} km long. How many km are left?`,
        `A journey of ${total} km: ${name} goes at ${s} km an hour for ${h} hours, then stops, then goes at ${t} km an hour for ${g} hours. What distance is still to go?`,
        `On a way of ${total} km, a car of ${name} runs ${h} hours at ${s} km an hour before a stop and ${g} hours at ${t} km an hour after it. How far is it still?`,
      ],
      facts: [`${h} hours at ${s} km an hour`, `${g} hours at ${t} km an hour`, `${total} km in all`],
      goal: 'the distance that is left|the way still to go',
      unit: 'km',
    }
  },
}

export const tank: Family = {
  name: 'tank',
  draw(random, work, [name]) {
    const [inflow, start, minutes, buckets] = [
      random.int(14, 80),
      random.int(20, 400),
      random.int(3, 9),
      random.int(2, 9),
    ]
    const outflow = random.int(3, inflow - 4)
    const size = start + (inflow - outflow) * minutes + buckets * random.int(3, 30)
    const gain = work.difference('the gain each minute|what the tank gains in a minute', inflow, outflow, 'litres')
    const more = work.product('the gain in all|the sum of these gains', minutes, gain, 'litres')
    const now = work.sum('the water in the tank|the water level in litres', start, more, 'litres')
    const free = work.difference('the free space|what the tank can still take', size, now, 'litres')
    work.quotient('the size of a bucket|the litres in each bucket', free, buckets, 'litres')
    return {
      numbers: [size, start, inflow, outflow, minutes, buckets],
      questions: [
        `A tank for ${size} litres holds ${start} litres. Each minute ${inflow} litres flow in and ${outflow} flow out. After ${minutes} minutes ${name} fills it up with ${buckets} equal buckets. How many litres does a bucket hold?`,
        `${name} has a tank of ${size} litres with ${start} litres in it. For ${minutes} minutes, ${inflow} litres a minute come in and ${outflow} go out. Then ${buckets} equal buckets make it full. What is the size of a bucket?`,
        `There are ${start} litres in a tank that can take ${size}. It gains ${inflow} and loses ${outflow} litres a minute for ${minutes} minutes, then ${name} adds ${buckets} equal buckets and it is full. How large is one bucket?`,
      ],
      facts: [
        `the tank takes ${size} litres`,
        `${start} litres at first`,
        `${inflow} in and ${outflow} out each minute`,
        `${minutes} minutes`,
        `${buckets} buckets`,
      ],
      goal: 'the size of a bucket|the litres in each bucket',
      unit: 'litres',
    }
  },
}

export const factory: Family = {
  name: 'factory',
  draw(random, work, [name]) {
    const thing = random.pick(PRODUCTS)
    const [p, h, q, g, k] = [
      random.int(13, 90),
      random.int(2, 9),
      random.int(13, 90),
      random.int(2, 9),
      random.int(3, 9),
    ]
    const bad = ((p * h + q * g) % k) + k * random.int(1, 5)
    const one = work.product(`the output of the first machine|what the first machine makes`, h, p, thing)
    const two = work.product(`the output of the second machine|what the second machine makes`, g, q, thing)
    const all = work.sum(`the number of all ${thing}|the whole production`, one, two, thing)
    const good = work.difference(`the number of good ${thing}|what remains without the bad ones`, all, bad, thing)
    work.quotient('the number of boxes|the count of full boxes', good, k, 'boxes')
    return {
      numbers: [p, h, q, g, bad, k],
      questions: [
        `In the factory of ${name}, one machine makes ${p} ${thing} an hour for ${h} hours, a second ${q} an hour for ${g} hours. ${bad} are bad. The good ones go into boxes of ${k}. How many boxes are filled?`,
        `Two machines make ${thing}: the first ${p} an hour during ${h} hours, the second ${q} an hour during ${g} hours. ${name} throws away ${bad} bad ones and puts ${k} in each box. How many boxes are there?`,
        `${name} runs a machine for ${h} hours at ${p} ${thing} an hour and a second for ${g} hours at ${q} an hour. Without the ${bad} bad ones, how many boxes of ${k} does that fill?`,
      ],
      facts: [
        `first ${p} an hour for ${h} hours`,
        `second ${q} an hour for ${g} hours`,
        `${bad} are bad`,
        `${k} in a box`,
      ],
      goal: 'the number of boxes|the count of full boxes',
      unit: 'boxes',
    }
  },
}

export const theatre: Family = {
  name: 'theatre',
  draw(random, work, [name]) {
    const [rows, seats, price, drinks] = [random.int(3, 9), random.int(12, 90), random.int(3, 9), random.int(20, 400)]
    const empty = random.int(4, rows * 8)
    const cost = random.int(30, 300)
    const all = work.product('the number of seats|the size of the theatre', rows, seats, 'seats')
    const sold = work.difference('the number of tickets|the number of seats taken', all, empty, 'tickets')
    const money = work.product('the money from the tickets|what the tickets bring', price, sold, '$')
    const income = work.sum('the whole income|the money with the drinks', money, drinks, '$')
    work.difference('the profit|what is earned in the end', income, cost, '$')
    return {
      numbers: [rows, seats, empty, price, drinks, cost],
      questions: [
        `A theatre has ${rows} rows of ${seats} seats, and ${empty} seats stay empty. A ticket costs $${price}, drinks bring $${drinks}, and ${name} pays $${cost} for the evening. What is the profit in dollars?`,
        `${name} rents a theatre with ${rows} rows of ${seats} seats for $${cost}. All but ${empty} seats are sold at $${price} each, and drinks bring in $${drinks}. How much does ${name} earn?`,
        `Tickets for ${rows} rows of ${seats} seats cost $${price} each; ${empty} are not sold. ${name} also takes $${drinks} for drinks and has costs of $${cost}. How large is the profit?`,
      ],
      facts: [
        `${rows} rows of ${seats} seats`,
        `${empty} stay empty`,
        `$${price} a ticket`,
        `$${drinks} for drinks`,
        `$${cost} of costs`,
      ],
      goal: 'the profit|what is earned in the end',
      unit: '$',
    }
  },
}
