// Everything comes from the environment: the benchmark sets it.
const number = (name, otherwise) => Number(process.env[name] ?? otherwise)

export const PORT = number('PORT', 3000)
export const DATABASE_URL = process.env.DATABASE_URL
export const REDIS_URL = process.env.REDIS_URL
export const POOL = number('DB_POOL_SIZE', 10)
export const IN_FLIGHT = number('WORKER_IN_FLIGHT', 50)
export const QUOTE_MS = number('MOCK_DEX_QUOTE_DELAY_MS', 200)
export const EXECUTION_MS = number('MOCK_DEX_EXECUTION_DELAY_MS', 2500)
export const FAILURES = number('MOCK_DEX_FAILURE_RATE', 0)

export const QUEUE = 'orders'
export const CHANNEL = 'order-events'
export const JOB = { attempts: 3, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: 1000, removeOnFail: 5000 }

export const STATUSES = ['PENDING', 'ROUTING', 'BUILDING', 'SUBMITTED', 'CONFIRMED', 'FAILED']
const SEQ = { PENDING: 1, ROUTING: 2, BUILDING: 3, SUBMITTED: 4, CONFIRMED: 5, FAILED: 5 }

// What a WebSocket client gets; the same fields as Swaprail's.
export function message(orderId, status, at, data) {
  return JSON.stringify({ type: 'status', orderId, seq: SEQ[status], status, timestamp: at.toISOString(), data })
}
