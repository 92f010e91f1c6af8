// An order's way from PENDING to its end.
import { UnrecoverableError } from 'bullmq'
import { message } from './settings.js'
import { MovedOnError } from './store.js'
import { bestQuote, execute, RevertedError, signed } from './venues.js'

// tell(orderId, status, text) is called after each commit.
export function worker(store, tell) {
  async function move(id, from, to, data = {}) {
    const order = await store.move(id, from, to, data)
    tell(id, to, message(id, to, new Date(), data))
    return order
  }

  async function settle(id, swap) {
    try {
      await execute(swap)
    } catch (error) {
      if (!(error instanceof RevertedError)) throw error
      return move(id, 'SUBMITTED', 'FAILED', { error: error.message })
    }
    return move(id, 'SUBMITTED', 'CONFIRMED', { signature: swap.signature })
  }

  return async ({ data: { orderId: id } }) => {
    try {
      const order = await move(id, 'PENDING', 'ROUTING')
      const quote = await bestQuote(order)
      await move(id, 'ROUTING', 'BUILDING', { venue: quote.venue, price: quote.price })
      const swap = signed(order, quote)
      await move(id, 'BUILDING', 'SUBMITTED', { signature: swap.signature })
      await settle(id, swap)
    } catch (error) {
      throw error instanceof MovedOnError ? new UnrecoverableError(error.message) : error
    }
  }
}
