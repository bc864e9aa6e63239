import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hash as argon2 } from '@node-rs/argon2'
import { nobodysHash, readHash } from './encoded-hash.ts'
import { isOutdated, problemOfParameters } from './hash-parameters.ts'
import { createHashPool } from './hash-pool.ts'
import { problemOfImported } from './judge-imported.ts'
import { verifyEncoded } from './verify-encoded.ts'

/** As other programs write them: crypt_blowfish's test vectors, passlib's documentation, RFC 7914 and RFC 6070 in PHC form. */
const vectors = [
  ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['U*U', '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['U*U*', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK'],
  ['password', '$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44'],
  ['password', '$pbkdf2-sha1$i=4096$c2FsdA$SwB5AbdlSJq+rUnZJvch0GWkKcE'],
  ['password', '$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA'],
] as const

test('hashes of other programs are verified', async () => {
  for (const [password, encoded] of vectors) {
    assert.equal(await verifyEncoded(encoded, password), true, encoded)
    assert.equal(await verifyEncoded(encoded, `${password} `), false, encoded)
  }
  const argon2i = await argon2('a password', { algorithm: 1, memoryCost: 1024, timeCost: 3, parallelism: 2 })
  assert.match(argon2i, /^\$argon2i\$/)
  assert.equal(await verifyEncoded(argon2i, 'a password'), true)
  assert.equal(await verifyEncoded(argon2i, 'A password'), false)
})

const b64 = (length: number) => Buffer.alloc(length, 7).toString('base64').replace(/=+$/, '')
const salted = (prefix: string, digest = 32, salt = 16) => `${prefix}${b64(salt)}$${b64(digest)}`

test('what costs more than half a second or 256 MiB is refused, and what costs as much is not', () => {
  const cases = [
    ['$2b$13$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', '$2b$14$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', '$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    [salted('$scrypt$ln=18,r=8,p=1$'), salted('$scrypt$ln=30,r=8,p=1$')],
    [salted('$scrypt$ln=17,r=8,p=2$'), salted('$scrypt$ln=17,r=8,p=3$')],
    [salted('$scrypt$ln=14,r=8,p=1$'), salted('$scrypt$ln=100,r=1,p=1$')],
    [salted('$pbkdf2-sha256$i=2000000$'), salted('$pbkdf2-sha256$i=2000001$')],
    [salted('$pbkdf2-sha256$i=1000000$', 64), salted('$pbkdf2-sha256$i=1000001$', 64)],
    [salted('$pbkdf2-sha512$i=210000$', 64), salted('$pbkdf2-sha512$i=9999999999$', 64)],
    [salted('$argon2id$v=19$m=262144,t=8,p=4$'), salted('$argon2id$v=19$m=262144,t=9,p=4$')],
    [salted('$argon2i$v=19$m=4096,t=3,p=1$'), salted('$argon2i$v=19$m=4194304,t=1,p=1$')],
    [salted('$argon2id$v=19$m=8,t=64,p=1$'), salted('$argon2id$v=19$m=8,t=65,p=1$')],
  ] as const
  for (const [dear, tooDear] of cases) {
    assert.equal(problemOfImported(dear), undefined, dear)
    assert.match(problemOfImported(tooDear) ?? '', /would cost more/, tooDear)
  }
})

test('what is none of them, or broken, is refused', () => {
  const bad = [
    '',
    'correct horse battery staple',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    '$1$salt$hash',
    '$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe',
    '$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    salted('$argon2d$v=19$m=19456,t=2,p=1$'),
    salted('$argon2id$v=16$m=19456,t=2,p=1$'),
    salted('$argon2id$v=19$m=19456,t=0,p=1$'),
    salted('$argon2id$v=19$m=8,t=1,p=2$'),
    salted('$argon2id$v=19$m=19456,t=2,p=1$', 8),
    salted('$argon2id$v=19$m=19456,t=2,p=1$', 65),
    salted('$argon2id$v=19$m=19456,t=2,p=1$', 32, 4),
    `${salted('$argon2id$v=19$m=19456,t=2,p=1$')}=`,
    `$argon2id$v=19$m=19456,t=2,p=1$${b64(16)}$${b64(31)}F`,
    salted('$scrypt$ln=0,r=8,p=1$'),
    salted('$pbkdf2-sha256$i=0$'),
    salted('$pbkdf2-md5$i=1000$'),
    `${salted('$pbkdf2-sha256$i=1000$')}\n`,
  ]
  for (const encoded of bad) assert.equal(typeof problemOfImported(encoded), 'string', encoded)
})

test('nobody’s hash of a kind is of that kind, verifies, and differs each time', async () => {
  for (const [, encoded] of vectors) {
    const kind = readHash(encoded)?.kind ?? ''
    const made = nobodysHash(kind)
    assert.equal(readHash(made)?.kind, kind)
    assert.notEqual(made, nobodysHash(kind))
    assert.equal(await verifyEncoded(made, 'password'), false)
  }
})

test('hashes are made anew when parameters rise, and never when one falls', () => {
  const made = (memoryKib: number, passes: number) => salted(`$argon2id$v=19$m=${memoryKib},t=${passes},p=1$`)
  const wanted = { memoryKib: 47_104, passes: 2 }
  assert.equal(isOutdated(made(19_456, 2), wanted), true)
  assert.equal(isOutdated(made(47_104, 1), wanted), true)
  assert.equal(isOutdated(made(47_104, 2), wanted), false)
  assert.equal(isOutdated(made(65_536, 3), wanted), false)
  assert.equal(isOutdated(made(65_536, 1), wanted), false)
  assert.equal(isOutdated(made(19_456, 3), wanted), false)
  // Cheaper than anything that may be made here, whichever parameter falls.
  assert.equal(isOutdated(made(1024, 3), wanted), true)
  for (const [, encoded] of vectors) assert.equal(isOutdated(encoded, wanted), true)
})

test('parameters below the floor of ASVS 11.4.2 are named', () => {
  for (const [passes, least] of [
    [1, 47_104],
    [2, 19_456],
    [3, 12_288],
    [16, 12_288],
  ] as const) {
    assert.equal(problemOfParameters({ memoryKib: least, passes }), undefined)
    assert.match(problemOfParameters({ memoryKib: least - 1, passes }) ?? '', /PASSWORD_MEMORY_KIB/)
  }
})

test('a pool hashes with its parameters', async () => {
  const pool = createHashPool({ parameters: { memoryKib: 12_288, passes: 3 } })
  const encoded = await pool.hash('a password')
  assert.match(encoded, /^\$argon2id\$v=19\$m=12288,t=3,p=1\$/)
  assert.equal(readHash(pool.nobodys)?.kind, readHash(encoded)?.kind)
  assert.equal(pool.isOutdated(encoded), false)
})

test('with several kinds about, a refusal waits for the slowest and a right password does not', async () => {
  const pool = createHashPool()
  const encoded = await pool.hash('a password')
  await pool.verify(encoded, 'another password')
  assert.equal(pool.pace.refusalMs, 0)
  pool.pace.took('of elsewhere', 400)
  const took = async (act: () => Promise<unknown>) => {
    const began = performance.now()
    await act()
    return performance.now() - began
  }
  assert.ok((await took(() => pool.verify(encoded, 'another password'))) > 395)
  assert.ok((await took(() => pool.refuse(encoded, 'a password'))) > 395)
  assert.ok((await took(() => pool.verify(encoded, 'a password'))) < pool.pace.refusalMs)
  assert.ok((await took(() => pool.pace.rest(0))) > 395)
  assert.ok((await took(() => pool.pace.rest(500))) < 300)
  assert.equal(pool.asking.refusalMs, 0)
  pool.asking.took('known', 3)
  pool.asking.took('unknown', 5_000)
  assert.equal(pool.asking.refusalMs, 20)
  pool.pace.forget('of elsewhere')
  assert.equal(pool.pace.refusalMs, 0)
})
