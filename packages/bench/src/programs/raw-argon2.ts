import { verify } from '@node-rs/argon2'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** Nothing but the hash. */
export interface RawArgon2Acts extends CommonActs {
  /** Verifications a second, one after the other. */
  run(order: { readonly hash: string; readonly password: string; readonly seconds: number }): Promise<number>
}

answerParent<Omit<RawArgon2Acts, 'usage'>>({
  async run({ hash, password, seconds }) {
    const began = performance.now()
    let count = 0
    for (; performance.now() < began + seconds * 1000; count++) {
      if (!(await verify(hash, password))) throw new Error('the password is right, and the hash says no')
    }
    return (count / (performance.now() - began)) * 1000
  },
})
