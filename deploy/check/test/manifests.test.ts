// One process: the schemas are hundreds of small modules, which are loaded once.
import './planted.ts'
import './examples.ts'
import './secrets-made.ts'
import './placeholders.ts'
