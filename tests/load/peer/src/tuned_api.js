// Variant B, first process: HTTP and WebSockets.
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { batched } from './batched.js'
import { http } from './http.js'
import { CHANNEL, JOB, PORT, QUEUE, REDIS_URL } from './settings.js'
import { Sockets } from './sockets.js'
import { stopBy } from './stop.js'
import { TunedStore } from './tuned_store.js'

const store = new TunedStore()
await store.migrate()
const queue = new Queue(QUEUE, { connection: new Redis(REDIS_URL, { maxRetriesPerRequest: null }) })
const enqueue = batched((ids) =>
  queue.addBulk(ids.map((orderId) => ({ name: 'order', data: { orderId }, opts: { ...JOB, jobId: orderId } }))))
const app = http(store, enqueue)
const sockets = new Sockets(app.server, store)
const subscriber = new Redis(REDIS_URL)
subscriber.on('message', (_, text) => {
  const { orderId, status } = JSON.parse(text)
  sockets.tell(orderId, status, text)
})
await subscriber.subscribe(CHANNEL)
await app.listen({ host: '127.0.0.1', port: PORT })
stopBy(() => sockets.close(), () => app.close(), () => queue.close(), () => subscriber.quit(), () => store.close())
