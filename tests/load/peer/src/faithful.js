// Variant A: everything in one process.
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { FaithfulStore } from './faithful_store.js'
import { http } from './http.js'
import { IN_FLIGHT, JOB, PORT, QUEUE, REDIS_URL } from './settings.js'
import { Sockets } from './sockets.js'
import { stopBy } from './stop.js'
import { worker } from './work.js'

const store = new FaithfulStore()
await store.migrate()
const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null })
const queue = new Queue(QUEUE, { connection })
const app = http(store, (orderId) => queue.add('order', { orderId }, { ...JOB, jobId: orderId }))
const sockets = new Sockets(app.server, store)
const work = worker(store, (orderId, status, text) => sockets.tell(orderId, status, text))
const jobs = new Worker(QUEUE, work, { connection, concurrency: IN_FLIGHT })
jobs.on('failed', (job, error) => console.error('job', job?.id, error.message))
jobs.on('error', (error) => console.error('worker:', error.message))
await app.listen({ host: '127.0.0.1', port: PORT })
stopBy(() => sockets.close(), () => app.close(), () => jobs.close(), () => queue.close(), () => store.close())
