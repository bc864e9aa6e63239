import { openTestDoor } from '../../grpc/door-for-tests.ts'

// A replica that says in every answer which one it is. It has the port that all have, on an address of its own, as pods do; SIGTERM drains it.
const [address = '', port = ''] = process.argv.slice(2)
const { door } = await openTestDoor({
  user: { getUser: ({ id }) => ({ user: { id, name: address } }) },
  session: { signIn: () => ({ result: { case: 'signedIn', value: { accessToken: address } } }) },
  door: { host: address, port: Number(port) },
})
const leave = (): void => void door.drain(2000).then(() => process.connected && process.disconnect())
process.once('SIGTERM', leave).once('disconnect', leave)
process.send?.('ready')
