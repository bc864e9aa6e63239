import type { Scenario } from '../scenario.ts'
import { brokerAway } from './broker-away.ts'
import { brokerCluster } from './broker-cluster.ts'
import { conflicts } from './conflicts.ts'
import { databaseAway } from './database-away.ts'
import { databaseFailover } from './database-failover.ts'
import { fullDisk } from './full-disk.ts'
import { killServices } from './kill-services.ts'
import { mailServer } from './mail-server.ts'
import { plainClients } from './plain-clients.ts'
import { relayFaults } from './relay-faults.ts'
import { rollingRestart } from './rolling-restart.ts'
import { soak } from './soak.ts'
import { strangeEvents } from './strange-events.ts'
import { twoVersions } from './two-versions.ts'
import { wrongClock } from './wrong-clock.ts'

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  killServices,
  relayFaults,
  rollingRestart,
  plainClients,
  twoVersions,
  brokerAway,
  brokerCluster,
  databaseAway,
  databaseFailover,
  conflicts,
  strangeEvents,
  mailServer,
  wrongClock,
  fullDisk,
  soak,
]
