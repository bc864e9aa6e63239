/** The metrics that an expression of PromQL reads, without labels and what rules record. */
export function metricsIn(expr: string): string[] {
  const bare = expr.replace(/"[^"]*"/g, '').replace(/\{[^}]*\}|\b(by|on|without|group_left) \([^)]*\)/g, ' ')
  return [...new Set(bare.match(/\b(?:gatehouse|db|rpc|http|nodejs|process|otel)_\w+/g))]
}

/** Names of the series of an exposition in Prometheus' text format. */
export function seriesIn(exposition: string): string[] {
  return exposition
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => /^\w+/.exec(line)?.[0] ?? '')
}

/** Labels that an expression matches or groups by. */
export function labelsIn(expr: string): string[] {
  const matched = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, matchers = '']) =>
    [...matchers.matchAll(/(\w+)\s*[=!]/g)].map(([, label = '']) => label),
  )
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/,\s*/))
  // Prometheus and the recording rules add these.
  return [...new Set([...matched, ...grouped])].filter((label) => !['job', 'instance', 'slo'].includes(label))
}
