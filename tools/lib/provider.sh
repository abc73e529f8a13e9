# Which provider the demo calls: the one whose key is in the environment, else a local OpenAI-compatible server, else the
# bundled stub. Sets provider_*. Sourced, not run.
# shellcheck shell=bash
# shellcheck disable=SC2034 # for whoever sources this

# Key variable, agent_providers.name, a cheap model of that provider.
PROVIDERS=(
  'OPENAI_API_KEY openai gpt-4.1-nano'
  'DEEPSEEK_API_KEY deepseek deepseek-v4-flash'
  'MISTRAL_API_KEY mistral mistral-small-latest'
  'GROQ_API_KEY groq llama-3.1-8b-instant'
  'OPENROUTER_API_KEY openrouter openai/gpt-4.1-nano'
)
KEY_VARIABLES=(OPENAI_API_KEY DEEPSEEK_API_KEY MISTRAL_API_KEY GROQ_API_KEY OPENROUTER_API_KEY)

# agent_providers.name and port of servers on this machine.
LOCAL_SERVERS=('local 11434' 'llamacpp 8080' 'vllm 8000')

provider_kind='' provider_name='' provider_model='' provider_key_variable='' provider_url='' provider_in_flight=1000

# A key is used only where somebody can say yes, or has said it (--yes).
choose_keyed_provider() {
  local line variable name model
  for line in "${PROVIDERS[@]}"; do
    read -r variable name model <<<"$line"
    if [[ -n ${!variable:-} ]]; then
      provider_kind=remote provider_name=$name provider_model=${AQ_DEMO_MODEL:-$model}
      provider_key_variable=$variable provider_in_flight=32
      return 0
    fi
  done
  return 1
}

choose_local_provider() {
  local line name port models
  for line in "${LOCAL_SERVERS[@]}"; do
    read -r name port <<<"$line"
    models=$(curl -fs --noproxy '*' -m 0.3 "http://127.0.0.1:$port/v1/models" 2>/dev/null) || continue
    if provider_model=$(first_model "$models"); then
      provider_kind=local provider_name=$name provider_url=http://127.0.0.1:$port/v1 provider_in_flight=8
      return 0
    fi
  done
  return 1
}

# The first model of a /v1/models answer that is not for embeddings. No other program may be at hand to read JSON.
first_model() {
  local id
  if [[ -n ${AQ_DEMO_MODEL:-} ]]; then
    echo "$AQ_DEMO_MODEL"
    return
  fi
  while read -r id; do
    if [[ ! $id =~ [Ee]mbed ]]; then
      echo "$id"
      return
    fi
  done < <(grep -o '"id" *: *"[^"]*"' <<<"$1" | sed 's/.*: *"\(.*\)"/\1/')
  return 1
}

choose_stub() {
  provider_kind=stub provider_name=stub provider_model=stub-small provider_in_flight=1000
  provider_url=$("$ROOT/examples/stub/stub" start) || die "the stub did not start"
}
