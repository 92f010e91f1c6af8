// A prepared statement for each transition: status compared and changed, event written, one commit.
import { insertValues, MovedOnError, moveValues, Store } from './store.js'

const INSERT = `with fresh as (
    insert into orders (id, wallet, input_token, output_token, input_amount) values ($1, $2, $3, $4, $5) returning *
  ), event as (insert into order_events (order_id, status) values ($1, 'PENDING'))
  select * from fresh`
const MOVE = `with moved as (
    update orders set status = $3, venue = coalesce($4, venue), price = coalesce($5, price),
      signature = coalesce($6, signature), error = coalesce($7, error), updated_at = now()
    where id = $1 and status = $2 returning id, input_token, output_token, input_amount
  ), event as (insert into order_events (order_id, status, data) select id, $3, $8::jsonb from moved)
  select * from moved`

export class TunedStore extends Store {
  async insert(id, order) {
    return (await this.pool.query({ name: 'insert', text: INSERT, values: insertValues(id, order) })).rows[0]
  }

  async move(id, from, to, data) {
    const values = [...moveValues(id, from, to, data), data]
    const { rows } = await this.pool.query({ name: 'move', text: MOVE, values })
    if (rows.length === 0) throw new MovedOnError(`${id} is not ${from}`)
    return rows[0]
  }
}
