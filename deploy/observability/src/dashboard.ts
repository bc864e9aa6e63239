/** A line of a panel. */
export interface Query {
  readonly expr: string
  /** How the line is called: `{{rpc_method}}`. */
  readonly legend: string
}

/** What a dashboard shows in one place. */
export interface Panel {
  readonly title: string
  /** What a reader is to make of it. */
  readonly about: string
  readonly queries: readonly Query[]
  /** As Grafana calls it: `s`, `reqps`, `percentunit`, `bytes`, `short`. */
  readonly unit: string
  readonly kind?: 'timeseries' | 'stat'
  /** Of the 24 that a row is wide; 8 unless given. */
  readonly width?: number
  /** From here on it is red. */
  readonly red?: number
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

export interface Dashboard {
  /** The same in every Grafana, so that links hold. */
  readonly uid: string
  readonly title: string
  readonly about: string
  readonly rows: readonly Row[]
}

const datasource = { type: 'prometheus', uid: `$${'{datasource}'}` }
const height = 8

/** The JSON that Grafana imports (schema version 39, read by Grafana 10.4 and newer). */
export function toGrafana({ uid, title, about, rows }: Dashboard): object {
  let [id, y] = [0, 0]
  const panels: object[] = []
  for (const row of rows) {
    panels.push({ id: ++id, type: 'row', title: row.title, collapsed: false, gridPos: { h: 1, w: 24, x: 0, y: y++ }, panels: [] })
    let x = 0
    for (const panel of row.panels) {
      const { width = 8 } = panel
      if (x + width > 24) [x, y] = [0, y + height]
      panels.push(panelOf(panel, ++id, { h: height, w: width, x, y }))
      x += width
    }
    y += height
  }
  return {
    uid,
    title,
    description: about,
    tags: ['gatehouse'],
    schemaVersion: 39,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    links: [{ title: 'Gatehouse', type: 'dashboards', tags: ['gatehouse'], asDropdown: true, includeVars: true, keepTime: true }],
    annotations: { list: [] },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus', hide: 0, refresh: 1, options: [], current: {} },
      ],
    },
    panels,
  }
}

function panelOf({ title, about, queries, unit, kind = 'timeseries', red }: Panel, id: number, gridPos: object): object {
  const steps = [{ color: 'green', value: null }, ...(red === undefined ? [] : [{ color: 'red', value: red }])]
  return {
    id,
    type: kind,
    title,
    description: about,
    datasource,
    gridPos,
    targets: queries.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource,
      expr,
      legendFormat: legend,
      range: kind === 'timeseries',
      instant: kind === 'stat',
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        thresholds: { mode: 'absolute', steps },
        ...(kind === 'timeseries' && {
          custom: { lineWidth: 1, fillOpacity: 10, showPoints: 'never', thresholdsStyle: { mode: red === undefined ? 'off' : 'line' } },
        }),
      },
      overrides: [],
    },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value', graphMode: 'none' }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  }
}
