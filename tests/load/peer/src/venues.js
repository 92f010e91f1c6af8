// Two paper venues with the delays of Swaprail's.
import { createHash, randomBytes } from 'node:crypto'
import { EXECUTION_MS, FAILURES, QUOTE_MS } from './settings.js'

const FEES = { raydium: 0.0025, meteora: 0.002 }

export class RevertedError extends Error {}

async function pass(ms) {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
}

async function quote(venue, order) {
  await pass(QUOTE_MS)
  const price = 98 + 4 * Math.random()
  return { venue, price, out: Number(order.input_amount) * price * (1 - FEES[venue]) }
}

export async function bestQuote(order) {
  const quotes = await Promise.all(Object.keys(FEES).map((venue) => quote(venue, order)))
  return quotes.reduce((best, other) => (other.out > best.out ? other : best))
}

export function signed(order, { venue, price }) {
  const swap = `${order.id} ${order.input_token} ${order.output_token} ${order.input_amount} ${venue}`
  return { venue, price, signature: createHash('sha256').update(swap).update(randomBytes(16)).digest('hex') }
}

export async function execute({ venue }) {
  await pass(EXECUTION_MS)
  if (Math.random() < FAILURES) throw new RevertedError(`${venue}: the swap was reverted`)
}
