export { createLogger, type Logger, type LoggerOptions } from './logger.ts'
export { redact } from './redact.ts'
export { startTelemetry, type Telemetry, type TelemetryOptions } from './telemetry.ts'
