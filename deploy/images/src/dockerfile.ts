/** What is wrong with the text of our Dockerfile; nothing where it keeps its promises. */
export function problemsOf(dockerfile: string): readonly string[] {
  const instructions = dockerfile
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim())
  const of = (name: string) => instructions.filter((each) => each.startsWith(`${name} `)).map((each) => each.slice(name.length + 1))
  const stages = of('FROM').map((each) => / AS (\S+)$/.exec(each)?.[1])
  const last = instructions.slice(instructions.findLastIndex((each) => each.startsWith('FROM ')))
  const inLast = (name: string) => last.find((each) => each.startsWith(`${name} `))?.slice(name.length + 1)
  const uid = Number(inLast('USER')?.split(':')[0])
  return [
    ...of('FROM')
      .map((each) => each.split(' ')[0] ?? '')
      .filter((base) => !/^\$\{[A-Z]+_BASE\}$/.test(base) && !stages.includes(base))
      .map((base) => `FROM ${base} is no base of base-images.lock`),
    ...of('ARG')
      .filter((each) => /^[A-Z]+_BASE=/.test(each))
      .map((each) => `ARG ${each} is a base that nobody pinned`),
    ...['RUN', 'ENTRYPOINT', 'CMD'].flatMap((name) =>
      of(name)
        .filter((each) => !each.startsWith('['))
        .map((each) => `${name} ${each} asks for a shell`),
    ),
    ...of('ADD').map((each) => `ADD ${each} brings what nobody pinned`),
    ...(uid > 10_000 ? [] : ['the last stage does not run as a user above 10000']),
    ...(inLast('ENTRYPOINT') === '["/usr/local/bin/node"]' ? [] : ['the first process of the last stage is not Node']),
    ...of('LABEL')
      .filter((each) => !/org\.opencontainers\.image\.revision=/.test(each))
      .map(() => 'the image does not say its revision'),
  ]
}
