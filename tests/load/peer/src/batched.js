// While one batch is on its way, what comes in gathers for the next.
const MOST = 200

export function batched(flush) {
  const waiting = []
  let busy = false

  async function flushAll() {
    busy = true
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MOST)
      try {
        await flush(batch.map(({ item }) => item))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    busy = false
  }

  return (item) => new Promise((resolve, reject) => {
    waiting.push({ item, resolve, reject })
    if (!busy) flushAll()
  })
}
