// On SIGTERM the steps are taken in turn, and the process ends.
export function stopBy(...steps) {
  process.once('SIGTERM', async () => {
    for (const step of steps) await Promise.resolve(step()).catch((error) => console.error('stop:', error.message))
    process.exit(0)
  })
}
