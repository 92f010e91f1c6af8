import { randomUUID } from 'node:crypto'
import Fastify from 'fastify'

const text = (maxLength) => ({ type: 'string', minLength: 1, maxLength })
const ORDER = {
  type: 'object',
  required: ['userWallet', 'inputToken', 'outputToken', 'inputAmount'],
  properties: {
    userWallet: text(128), inputToken: text(64), outputToken: text(64), inputAmount: { type: 'number', exclusiveMinimum: 0 },
  },
}
const EXECUTE = {
  type: 'object',
  properties: { ...ORDER.properties, orderId: { type: 'string', format: 'uuid' } },
  anyOf: [{ required: ['orderId'] }, { required: ORDER.required }],
}
const LIMIT = { type: 'object', properties: { limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 } } }

const view = (order) => ({
  orderId: order.id, userWallet: order.wallet, inputToken: order.input_token, outputToken: order.output_token,
  inputAmount: order.input_amount, status: order.status, venue: order.venue, price: order.price,
  signature: order.signature, error: order.error, createdAt: order.created_at, updatedAt: order.updated_at,
})

// enqueue(orderId) resolves when a worker is sure to get the order.
export function http(store, enqueue) {
  const app = Fastify({ logger: false, keepAliveTimeout: 120_000 })

  app.post('/api/orders', { schema: { body: ORDER } }, async (request, reply) =>
    reply.code(201).send(view(await store.insert(randomUUID(), request.body))))

  app.post('/api/orders/execute', { schema: { body: EXECUTE } }, async ({ body }, reply) => {
    const order = body.orderId ? await store.get(body.orderId) : await store.insert(randomUUID(), body)
    if (!order) return reply.code(404).send({ title: 'no such order' })
    if (order.status !== 'PENDING') return reply.code(409).send({ title: 'the order was executed before' })
    await enqueue(order.id)
    return reply.code(202).send(view(order))
  })

  app.get('/api/orders/:id', async ({ params }, reply) => {
    const order = await store.get(params.id)
    return order ? view(order) : reply.code(404).send({ title: 'no such order' })
  })

  app.get('/api/wallets/:wallet/orders', { schema: { querystring: LIMIT } }, async ({ params, query }) =>
    (await store.ofWallet(params.wallet, query.limit)).map(view))

  app.get('/health', async () => {
    await store.ping()
    return { status: 'ok' }
  })
  return app
}
