/** Types of the language: a subset of CEL's. `list` and `map` hold texts. */
export type ConditionType = 'bool' | 'int' | 'double' | 'string' | 'timestamp' | 'duration' | 'null' | 'list' | 'map'

/** What a name stands for: a value, or something with fields. */
export type ConditionName = ConditionType | { readonly [field: string]: ConditionType }

/** What conditions may look at. */
export const conditionNames: Readonly<Record<string, ConditionName>> = {
  principal: { id: 'string', groups: 'list' },
  resource: { type: 'string', id: 'string', owner: 'string', attributes: 'map' },
  request: { time: 'timestamp', permission: 'string' },
}

type Signature = readonly [result: ConditionType, ...takes: ConditionType[]]

const same = (result: ConditionType, ...types: ConditionType[]): Signature[] => types.map((type) => [result, type, type])

const comparable: readonly ConditionType[] = ['int', 'double', 'string', 'timestamp', 'duration', 'bool']

/**
 * Functions and operators by CEL's names for them. Each looks at what it is given once, so that a condition costs no more than its size times that of
 * what it looks at: there are no loops, no patterns, and nothing that makes a long text out of short ones.
 */
export const conditionFunctions: Readonly<Record<string, readonly Signature[]>> = {
  '_&&_': same('bool', 'bool'),
  '_||_': same('bool', 'bool'),
  '!_': [['bool', 'bool']],
  '-_': [
    ['int', 'int'],
    ['double', 'double'],
  ],
  '_==_': same('bool', ...comparable, 'null', 'list'),
  '_!=_': same('bool', ...comparable, 'null', 'list'),
  '_<_': same('bool', ...comparable),
  '_<=_': same('bool', ...comparable),
  '_>_': same('bool', ...comparable),
  '_>=_': same('bool', ...comparable),
  '_+_': [
    ['int', 'int', 'int'],
    ['double', 'double', 'double'],
    ['duration', 'duration', 'duration'],
    ['timestamp', 'timestamp', 'duration'],
    ['timestamp', 'duration', 'timestamp'],
  ],
  '_-_': [
    ['int', 'int', 'int'],
    ['double', 'double', 'double'],
    ['duration', 'duration', 'duration'],
    ['timestamp', 'timestamp', 'duration'],
    ['duration', 'timestamp', 'timestamp'],
  ],
  '@in': [
    ['bool', 'string', 'list'],
    ['bool', 'string', 'map'],
  ],
  '_[_]': [
    ['string', 'map', 'string'],
    ['string', 'list', 'int'],
  ],
  size: [
    ['int', 'string'],
    ['int', 'list'],
    ['int', 'map'],
  ],
  timestamp: [['timestamp', 'string']],
  duration: [['duration', 'string']],
}

const ofTime: readonly Signature[] = [
  ['int', 'timestamp'],
  ['int', 'timestamp', 'string'],
]

/** Methods by their names; what they are called on comes first. */
export const conditionMethods: Readonly<Record<string, readonly Signature[]>> = {
  startsWith: [['bool', 'string', 'string']],
  endsWith: [['bool', 'string', 'string']],
  contains: [['bool', 'string', 'string']],
  size: conditionFunctions.size ?? [],
  getFullYear: ofTime,
  getMonth: ofTime,
  getDate: ofTime,
  getDayOfWeek: ofTime,
  getHours: ofTime,
  getMinutes: ofTime,
}

/** The result of the first signature that takes these types. */
export function resultOf(signatures: readonly Signature[], takes: readonly ConditionType[]): ConditionType | undefined {
  return signatures.find(([, ...types]) => types.length === takes.length && types.every((type, index) => type === takes[index]))?.[0]
}
