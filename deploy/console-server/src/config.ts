import { fileURLToPath } from 'node:url'
import { port, text, type Values } from '@gatehouse/config'

const workspace = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** The environment of the console's server. It holds no secret and calls nobody. */
export const variables = {
  LISTEN_HOST: text({ about: 'address that it listens on', default: '0.0.0.0' }),
  WEB_PORT: port({ about: 'pages and /openapi.json, for the gateway; 0 takes a free port' }),
  METRICS_PORT: port({ about: '/healthz, /readyz and /metrics; 0 takes a free port' }),
  PAGES: text({ about: 'folder of the built console', default: workspace('packages/console/dist') }),
  OPENAPI: text({ about: 'the document at /openapi.json', default: workspace('packages/contracts/openapi.json') }),
}

export type ConsoleConfig = Values<typeof variables>
