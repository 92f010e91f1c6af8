// Variant B, second process: BullMQ's worker.
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { CHANNEL, IN_FLIGHT, QUEUE, REDIS_URL } from './settings.js'
import { stopBy } from './stop.js'
import { TunedStore } from './tuned_store.js'
import { worker } from './work.js'

const store = new TunedStore()
const publisher = new Redis(REDIS_URL, { enableAutoPipelining: true })
publisher.on('error', (error) => console.error('redis:', error.message))
const work = worker(store, (_, __, text) => {
  publisher.publish(CHANNEL, text).catch((error) => console.error('publish:', error.message))
})
const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null })
const jobs = new Worker(QUEUE, work, { connection, concurrency: IN_FLIGHT })
jobs.on('failed', (job, error) => console.error('job', job?.id, error.message))
jobs.on('error', (error) => console.error('worker:', error.message))
await jobs.waitUntilReady()
console.log('ready')
stopBy(() => jobs.close(), () => publisher.quit(), () => store.close())
