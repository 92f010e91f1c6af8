// Orders in PostgreSQL: what both variants have in common.
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { DATABASE_URL, POOL } from './settings.js'

export class MovedOnError extends Error {}

export class Store {
  constructor() {
    this.pool = new pg.Pool({ connectionString: DATABASE_URL, max: POOL })
    this.pool.on('error', (error) => console.error('database:', error.message))
  }

  async migrate() {
    await this.pool.query(readFileSync(new URL('./schema.sql', import.meta.url), 'utf8'))
  }

  async get(id) {
    const found = await this.pool.query({ name: 'get', text: 'select * from orders where id = $1', values: [id] })
    return found.rows[0]
  }

  async ofWallet(wallet, limit) {
    const text = 'select * from orders where wallet = $1 order by created_at desc limit $2'
    return (await this.pool.query({ name: 'of_wallet', text, values: [wallet, limit] })).rows
  }

  async ping() {
    await this.pool.query('select 1')
  }

  async close() {
    await this.pool.end()
  }
}

export const insertValues = (id, order) =>
  [id, order.userWallet, order.inputToken, order.outputToken, order.inputAmount]

export const moveValues = (id, from, to, { venue, price, signature, error }) =>
  [id, from, to, venue, price, signature, error]
