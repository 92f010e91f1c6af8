// A transaction for each transition: the row is locked, its status compared, changed, and the event written.
import { insertValues, MovedOnError, moveValues, Store } from './store.js'

const INSERT = `insert into orders (id, wallet, input_token, output_token, input_amount)
  values ($1, $2, $3, $4, $5) returning *`
const LOCK = 'select status from orders where id = $1 for update'
const MOVE = `update orders set status = $3, venue = coalesce($4, venue), price = coalesce($5, price),
    signature = coalesce($6, signature), error = coalesce($7, error), updated_at = now()
  where id = $1 and status = $2 returning *`
const EVENT = 'insert into order_events (order_id, status, data) values ($1, $2, $3)'

export class FaithfulStore extends Store {
  async #transaction(work) {
    const client = await this.pool.connect()
    try {
      await client.query('begin')
      const result = await work(client)
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback').catch((failed) => console.error('rollback:', failed.message))
      throw error
    } finally {
      client.release()
    }
  }

  insert(id, order) {
    return this.#transaction(async (client) => {
      const { rows } = await client.query(INSERT, insertValues(id, order))
      await client.query(EVENT, [id, 'PENDING', {}])
      return rows[0]
    })
  }

  move(id, from, to, data) {
    return this.#transaction(async (client) => {
      const { rows: locked } = await client.query(LOCK, [id])
      if (locked[0]?.status !== from) throw new MovedOnError(`${id} is not ${from}`)
      const { rows } = await client.query(MOVE, moveValues(id, from, to, data))
      await client.query(EVENT, [id, to, data])
      return rows[0]
    })
  }
}
