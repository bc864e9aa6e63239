// Loaded with `--import` before anything else: see clock-offset.ts.
const offsetMs = Number(process.env.CLOCK_OFFSET_MS ?? 0)
const trueNow = Date.now.bind(Date)
const trueOrigin = performance.timeOrigin

Date.now = () => trueNow() + offsetMs
Object.defineProperty(performance, 'timeOrigin', { value: trueOrigin + offsetMs })
globalThis.Date = new Proxy(Date, {
  apply: (target) => new target(target.now()).toString(),
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [target.now()] : args, newTarget),
})
