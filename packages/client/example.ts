import { connectGatehouse } from '@gatehouse/client'
import { UserCreatedSchema, UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'

const say = (line: string) => process.stdout.write(`${line}\n`)

// An internal service: it knows whom a token belongs to, asks who that is, and is told when people come and change.
const {
  GATEHOUSE_ORIGIN = '',
  GATEHOUSE_USER_URL = '',
  GATEHOUSE_AUTH_URL = '',
  GATEHOUSE_NATS_URL = '',
  GATEHOUSE_WORKLOAD_KEY_FILE = '',
} = process.env

await using gatehouse = await connectGatehouse({
  origin: GATEHOUSE_ORIGIN,
  userUrl: GATEHOUSE_USER_URL,
  authUrl: GATEHOUSE_AUTH_URL,
  natsUrl: GATEHOUSE_NATS_URL,
  workloadKeyFile: GATEHOUSE_WORKLOAD_KEY_FILE,
})

gatehouse.subscribe('example', [UserCreatedSchema, UserUpdatedSchema], (event, { tenant, version }) => {
  if (event.$typeName === UserUpdatedSchema.typeName)
    say(`${event.userId} of ${tenant} changed ${event.changedFields.join(', ')} (version ${version})`)
  else say(`${event.userId} of ${tenant} is new`)
})

const person = await gatehouse.verify(process.argv[2] ?? '')
const { user } = await gatehouse.users.getUser({ id: person.id }, gatehouse.about(person.tenant))
say(`The token belongs to ${user?.name} <${user?.email}>`)

await new Promise((resolve) => process.once('SIGINT', resolve))
