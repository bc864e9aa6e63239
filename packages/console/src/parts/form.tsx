import { type Refused, refusedOf } from '@gatehouse/web'
import { createContext, type FormEvent, type InputHTMLAttributes, type ReactNode, useContext, useId, useRef, useState } from 'react'

interface FormState {
  readonly busy: boolean
  /** Names of the fields that were sent empty: what is missing is said in words of a person, not of a rule. */
  readonly empty: ReadonlySet<string>
  /** Names of all fields of the form. */
  readonly names: ReadonlySet<string>
  readonly refused: Refused | undefined
}

const idle: FormState = { busy: false, empty: new Set(), names: new Set(), refused: undefined }

const Form$ = createContext<FormState>(idle)

interface FormProps {
  readonly children: ReactNode
  readonly action: string
  /** Gets the fields by name; what it throws is shown. */
  readonly onSubmit: (fields: Record<string, string>) => Promise<void>
  /** Sentences for refusals that this form knows better, by reason. */
  readonly sentences?: Readonly<Record<string, string | ((metadata: Readonly<Record<string, string>>) => string)>>
  readonly danger?: boolean
  /** Where it is not the first thing to do on its page. */
  readonly quiet?: boolean
  readonly done?: string | undefined
}

/** A form that calls the server: one call at a time, its refusal above the button and beside the fields. */
export function Form({ children, action, onSubmit, sentences = {}, danger = false, quiet = false, done }: FormProps) {
  const [state, setState] = useState<FormState>(idle)
  const [finished, setFinished] = useState(false)
  const alert = useRef<HTMLParagraphElement>(null)
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    if (state.busy) return
    const form = event.currentTarget
    const fields = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]))
    const empty = new Set(Object.keys(fields).filter((name) => fields[name]?.trim() === ''))
    const names = new Set(Object.keys(fields))
    setState({ busy: true, empty, names, refused: undefined })
    setFinished(false)
    try {
      await onSubmit(fields)
      setState(idle)
      setFinished(true)
    } catch (error) {
      setState({ busy: false, empty, names, refused: refusedOf(error) })
      requestAnimationFrame(() => (form.querySelector<HTMLElement>('[aria-invalid=true]') ?? alert.current)?.focus())
    }
  }
  const { refused } = state
  const marked = refused && Object.keys(refused.fields).some((field) => state.names.has(field) || state.names.has(camelCase(field)))
  return (
    <Form$ value={state}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        {children}
        <p ref={alert} tabIndex={-1} role="alert" className={refused ? 'alert' : 'alert none'}>
          {refused &&
            (sentences[refused.reason] === undefined && marked ? 'Please look at the marked fields.' : sentenceOf(refused, sentences))}
          {refused?.retryAfterSeconds !== undefined && ` You can try again ${inWords(refused.retryAfterSeconds)}.`}
        </p>
        {done !== undefined && (
          <p role="status" className={finished ? 'done' : 'done none'}>
            {finished && done}
          </p>
        )}
        <button type="submit" className={danger ? 'danger' : quiet ? 'quiet whole' : 'main'} aria-disabled={state.busy}>
          {state.busy ? 'One moment …' : action}
        </button>
      </form>
    </Form$>
  )
}

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  readonly name: string
  readonly label: string
  readonly hint?: string
  /** What is said in place of the rule that the server names. */
  readonly wrong?: string
}

/** A labelled input; what the server says of the field stands under it. */
export function Field({ label, hint, name, wrong, ...input }: FieldProps) {
  const id = useId()
  const { empty, refused } = useContext(Form$)
  const told = refused?.fields[name] ?? refused?.fields[snakeCase(name)]
  const problem = told !== undefined && empty.has(name) ? 'Please fill this in.' : told && (wrong ?? told)
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} name={name} aria-describedby={`${id}-hint ${id}-problem`} aria-invalid={problem !== undefined} {...input} />
      {hint && (
        <small id={`${id}-hint`} className="hint">
          {hint}
        </small>
      )}
      <small id={`${id}-problem`} className="problem">
        {problem}
      </small>
    </div>
  )
}

/** A password: it can be looked at, pasted and kept by a password manager. */
export function PasswordField(props: FieldProps & { readonly autoComplete: 'new-password' | 'current-password' }) {
  const [shown, setShown] = useState(false)
  return (
    <div className="password">
      <Field {...props} type={shown ? 'text' : 'password'} spellCheck={false} autoCapitalize="off" required />
      <button type="button" className="quiet" aria-pressed={shown} onClick={() => setShown(!shown)}>
        {shown ? 'Hide' : 'Show'}
        <span className="unseen"> {props.label.toLowerCase()}</span>
      </button>
    </div>
  )
}

function sentenceOf(refused: Refused, sentences: NonNullable<FormProps['sentences']>): string {
  const [[field, problem] = []] = Object.entries(refused.fields)
  const sentence = sentences[refused.reason] ?? (field === undefined ? refused.message : `${refused.message} ${field}: ${problem}`)
  return typeof sentence === 'string' ? sentence : sentence(refused.metadata)
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function inWords(seconds: number): string {
  const minutes = Math.ceil(seconds / 60)
  if (minutes <= 1) return 'in a minute'
  return minutes < 90 ? `in ${minutes} minutes` : `in ${Math.ceil(minutes / 60)} hours`
}
