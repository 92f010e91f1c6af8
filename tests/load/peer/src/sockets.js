// /ws/orders/ORDER: where the order stands, then every later step, each once and in order.
import { WebSocketServer } from 'ws'
import { message, STATUSES } from './settings.js'

const PATH = /^\/ws\/orders\/([0-9a-f-]{36})$/
const rank = (status) => Math.min(STATUSES.indexOf(status), 4)

export class Sockets {
  constructor(server, store) {
    this.store = store
    this.followers = new Map()
    this.sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
    server.on('upgrade', (request, socket, head) => {
      const order = PATH.exec(request.url)?.[1]
      if (!order) return socket.destroy()
      this.sockets.handleUpgrade(request, socket, head, (ws) => this.follow(order, ws))
    })
  }

  async follow(orderId, ws) {
    const follower = { ws, rank: -1, early: [] }
    const all = this.followers.get(orderId) ?? new Set()
    this.followers.set(orderId, all.add(follower))
    ws.on('error', () => ws.terminate())
    ws.on('close', () => {
      all.delete(follower)
      if (all.size === 0) this.followers.delete(orderId)
    })
    const order = await this.store.get(orderId).catch((error) => console.error('socket:', error.message))
    if (!order) return ws.close(1008, 'no such order')
    const early = follower.early
    follower.early = null
    send(follower, order.status, message(orderId, order.status, order.updated_at, {}))
    for (const { status, text } of early) send(follower, status, text)
  }

  tell(orderId, status, text) {
    for (const follower of this.followers.get(orderId) ?? []) send(follower, status, text)
  }

  close() {
    for (const ws of this.sockets.clients) ws.close(1001)
    this.sockets.close()
  }
}

// Steps that come while the snapshot is read are kept, and those that it holds already are left out.
function send(follower, status, text) {
  if (follower.early) return follower.early.push({ status, text })
  if (rank(status) <= follower.rank) return
  follower.rank = rank(status)
  follower.ws.send(text)
}
