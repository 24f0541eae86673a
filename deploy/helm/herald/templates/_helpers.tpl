{{- define "herald.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "herald.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "herald.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "herald.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "herald.selector" -}}
app.kubernetes.io/name: {{ include "herald.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- /* Metadata of an object: dict root, name, and where wanted labels and annotations (both maps). */ -}}
{{- define "herald.metadata" -}}
{{- $root := .root -}}
name: {{ .name }}
namespace: {{ .namespace | default $root.Release.Namespace }}
labels:
  {{- include "herald.selector" $root | nindent 2 }}
  app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ $root.Release.Service }}
  app.kubernetes.io/part-of: herald
  helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
  {{- with merge (dict) (.labels | default dict) $root.Values.commonLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Every role that runs, as JSON: its service, role, row and name. */ -}}
{{- define "herald.roles" -}}
{{- $found := list -}}
{{- range $service, $row := .Values.services -}}
{{- if $row.enabled -}}
{{- range $role, $settings := $row.roles -}}
{{- $name := printf "%s-%s-%s" (include "herald.fullname" $) $service $role -}}
{{- $found = append $found (dict "service" $service "role" $role "row" $row "settings" $settings "name" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}

{{- /* What a role reaches, as JSON: dict root, row, reaches. With Kafka by OAUTHBEARER its token endpoint too. */ -}}
{{- define "herald.reaches" -}}
{{- $kafka := include "herald.own" (dict "root" .root "row" .row "key" "kafka") | fromJson -}}
{{- $byToken := and (has "kafka" .reaches) (hasPrefix "SASL" $kafka.securityProtocol) (eq $kafka.saslMechanism "OAUTHBEARER") -}}
{{- ternary (append .reaches "issuer") .reaches $byToken | uniq | toJson -}}
{{- end -}}

{{- define "herald.installed" -}}
{{ include "herald.fullname" . }}-installed
{{- end -}}

{{- define "herald.component" -}}
app.kubernetes.io/component: {{ .service }}-{{ .role }}
{{- end -}}

{{- define "herald.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "herald.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "herald.image" -}}
{{- $repository := printf "%s%s" .root.Values.image.prefix .service -}}
{{- with .root.Values.image.registry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) $repository -}}
{{- end -}}
{{- $digest := index .root.Values.image.digests .service -}}
{{- if $digest -}}
{{- printf "%s@%s" $repository $digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .root.Chart.AppVersion .root.Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- /* What a service has of kafka, mongodb or redis: the values, with its own laid over them; JSON. */ -}}
{{- define "herald.own" -}}
{{- mergeOverwrite (deepCopy (index .root.Values .key)) (deepCopy (index .row .key | default dict)) | toJson -}}
{{- end -}}

{{- /* The entries of secrets.entries that a service reads; JSON. */ -}}
{{- define "herald.secretNames" -}}
{{- $kafka := include "herald.own" (dict "root" .root "row" .row "key" "kafka") | fromJson -}}
{{- $names := concat (list "mongoUrl" "redisUrl") (.row.secrets | default list) -}}
{{- if hasPrefix "SASL" $kafka.securityProtocol -}}
{{- $names = append $names (ternary "kafkaClientSecret" "kafkaPassword" (eq $kafka.saslMechanism "OAUTHBEARER")) -}}
{{- end -}}
{{- if and (eq .service "program") .root.Values.smtp.host .root.Values.smtp.username -}}
{{- $names = append $names "smtpPassword" -}}
{{- end -}}
{{- if and (eq .service "program") .root.Values.smtp.host .root.Values.smtp.dkim.selector -}}
{{- $names = append $names "dkimKey" -}}
{{- end -}}
{{- if and (eq .service "program") .root.Values.imap.host -}}
{{- $names = append $names "imapPassword" -}}
{{- end -}}
{{- if and (eq .service "program") .root.Values.recruiting.enabled -}}
{{- $names = append $names "recruitingSecrets" -}}
{{- end -}}
{{- $names | uniq | toJson -}}
{{- end -}}

{{- /* One entry of secrets.entries with the Secret that it is in; JSON. */ -}}
{{- define "herald.secretEntry" -}}
{{- $entries := mergeOverwrite (deepCopy .root.Values.secrets.entries) (deepCopy (.row.secretEntries | default dict)) -}}
{{- $entry := index $entries .entry | required (printf "services.%s.secrets names %s, which secrets.entries has not" .service .entry) -}}
{{- $secret := default .root.Values.secrets.existingSecret $entry.existingSecret -}}
{{- dict "variable" $entry.variable "key" $entry.key "secret" $secret | toJson -}}
{{- end -}}

{{- /* The variables of a process that are no secrets; secretFiles "none" where no secret is mounted. */ -}}
{{- define "herald.environment" -}}
{{- $values := .root.Values -}}
{{- $kafka := include "herald.own" (dict "root" .root "row" .row "key" "kafka") | fromJson -}}
{{- $mongodb := include "herald.own" (dict "root" .root "row" .row "key" "mongodb") | fromJson -}}
{{- $redis := include "herald.own" (dict "root" .root "row" .row "key" "redis") | fromJson -}}
{{- $found := dict
  "HERALD_CONFIG_DIR" (ternary $values.configDirs (prepend $values.configDirs "/etc/herald/variables") (eq (toString .secretFiles) "none") | join ":")
  "HERALD_PUBLIC_URL" $values.publicUrl
  "HERALD_ISSUER" $values.oidc.issuer
  "HERALD_AUDIENCE" $values.oidc.audience
  "HERALD_ACCOUNT_CLAIM" $values.oidc.accountClaim
  "HERALD_TRUSTED_PROXIES" (join "," $values.trustedProxies)
  "HERALD_GRACE" (toString $values.grace)
  "HERALD_TRACE_RATIO" (toString $values.otlp.traceRatio)
  "HERALD_KAFKA_BOOTSTRAP" $kafka.bootstrap
  "HERALD_KAFKA_SECURITY_PROTOCOL" $kafka.securityProtocol
-}}
{{- with $values.prefix }}{{ $_ := set $found "HERALD_NAMESPACE" . }}{{ end -}}
{{- with $values.oidc.jwksUrl }}{{ $_ := set $found "HERALD_JWKS_URL" . }}{{ end -}}
{{- with $values.otlp.endpoint }}{{ $_ := set $found "OTEL_EXPORTER_OTLP_ENDPOINT" . }}{{ end -}}
{{- if $values.otlp.logs }}{{ $_ := set $found "HERALD_OTLP_LOGS" "true" }}{{ end -}}
{{- if hasPrefix "SASL" $kafka.securityProtocol -}}
{{- $_ := set $found "HERALD_KAFKA_SASL_MECHANISM" $kafka.saslMechanism -}}
{{- if eq $kafka.saslMechanism "OAUTHBEARER" -}}
{{- $_ := set $found "HERALD_KAFKA_OAUTH_URL" $kafka.oauth.url -}}
{{- $_ := set $found "HERALD_KAFKA_OAUTH_CLIENT_ID" $kafka.oauth.clientId -}}
{{- with $kafka.oauth.scope }}{{ $_ := set $found "HERALD_KAFKA_OAUTH_SCOPE" . }}{{ end -}}
{{- else -}}
{{- $_ := set $found "HERALD_KAFKA_USERNAME" $kafka.username -}}
{{- end -}}
{{- end -}}
{{- if $kafka.ca.existingSecret }}{{ $_ := set $found "HERALD_KAFKA_CA_FILE" "/etc/herald/tls/kafka-ca.crt" }}{{ end -}}
{{- if $kafka.clientCertificate.existingSecret -}}
{{- $_ := set $found "HERALD_KAFKA_CERT_FILE" "/etc/herald/tls/kafka-client.crt" -}}
{{- $_ := set $found "HERALD_KAFKA_KEY_FILE" "/etc/herald/tls/kafka-client.key" -}}
{{- end -}}
{{- if $mongodb.ca.existingSecret }}{{ $_ := set $found "HERALD_MONGO_CA_FILE" "/etc/herald/tls/mongodb-ca.crt" }}{{ end -}}
{{- if $redis.ca.existingSecret }}{{ $_ := set $found "HERALD_REDIS_CA_FILE" "/etc/herald/tls/redis-ca.crt" }}{{ end -}}
{{- if $values.ca.existingSecret }}{{ $_ := set $found "HERALD_CA_FILE" "/etc/herald/tls/ca.crt" }}{{ end -}}
{{- if eq .service "program" -}}
{{- with $values.admins }}{{ $_ := set $found "HERALD_PROGRAM_ADMINS" (join "," .) }}{{ end -}}
{{- if $values.smtp.host -}}
{{- $_ := set $found "HERALD_SMTP_HOST" $values.smtp.host -}}
{{- $_ := set $found "HERALD_SMTP_PORT" (toString $values.smtp.port) -}}
{{- $_ := set $found "HERALD_SMTP_SECURITY" $values.smtp.security -}}
{{- $_ := set $found "HERALD_MAIL_FROM" $values.smtp.from -}}
{{- $_ := set $found "HERALD_MAIL_RATE" $values.smtp.rate -}}
{{- $_ := set $found "HERALD_MAIL_REST" (toString $values.smtp.rest) -}}
{{- with $values.smtp.bounces }}{{ $_ := set $found "HERALD_MAIL_BOUNCES" . }}{{ end -}}
{{- with $values.smtp.replyTo }}{{ $_ := set $found "HERALD_MAIL_REPLY_TO" . }}{{ end -}}
{{- if $values.smtp.ca.existingSecret }}{{ $_ := set $found "HERALD_SMTP_CA_FILE" "/etc/herald/tls/smtp-ca.crt" }}{{ end -}}
{{- with $values.smtp.username }}{{ $_ := set $found "HERALD_SMTP_USERNAME" . }}{{ end -}}
{{- with $values.smtp.dkim.selector }}{{ $_ := set $found "HERALD_DKIM_SELECTOR" . }}{{ end -}}
{{- with $values.smtp.dkim.domain }}{{ $_ := set $found "HERALD_DKIM_DOMAIN" . }}{{ end -}}
{{- end -}}
{{- if $values.imap.host -}}
{{- $_ := set $found "HERALD_IMAP_HOST" $values.imap.host -}}
{{- $_ := set $found "HERALD_IMAP_PORT" (toString $values.imap.port) -}}
{{- $_ := set $found "HERALD_IMAP_SECURITY" $values.imap.security -}}
{{- $_ := set $found "HERALD_IMAP_USERNAME" $values.imap.username -}}
{{- $_ := set $found "HERALD_IMAP_FOLDER" $values.imap.folder -}}
{{- if $values.imap.ca.existingSecret }}{{ $_ := set $found "HERALD_IMAP_CA_FILE" "/etc/herald/tls/imap-ca.crt" }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if .settings.callsApis -}}
{{- $_ := set $found "HERALD_HUB_CLIENT_ID" $values.oidc.clientId -}}
{{- $_ := set $found "HERALD_HUB_SCOPE" $values.oidc.scope -}}
{{- range include "herald.roles" .root | fromJsonArray -}}
{{- if and (eq .role "api") (not .settings.callsApis) -}}
{{- $_ := set $found (printf "HERALD_%s_URL" (upper .service)) (printf "http://%s:8080" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .settings.spool -}}
{{- $_ := set $found "HERALD_SPOOL_DIR" "/var/lib/herald" -}}
{{- $_ := set $found "HERALD_SPOOL_GRACE" (toString .grace) -}}
{{- end -}}
{{- range $name, $value := merge (dict) (.row.settings | default dict) $values.settings -}}
{{- /* Helm reads numbers as floating point, and would write a large one as 3.3554432e+07. */ -}}
{{- $whole := and (kindIs "float64" $value) (eq (floor $value) $value) -}}
{{- $_ := set $found $name (ternary (toString (int64 $value)) (toString $value) $whole) -}}
{{- end -}}
{{- range $name, $value := $found }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- /* Secrets and certificates as files: variables/<VARIABLE> and tls/<what>. */ -}}
{{- define "herald.secretVolume" -}}
{{- $root := .root -}}
{{- $row := .row -}}
{{- $service := .service -}}
{{- $optional := .optional -}}
{{- $kafka := include "herald.own" (dict "root" $root "row" $row "key" "kafka") | fromJson -}}
{{- $mongodb := include "herald.own" (dict "root" $root "row" $row "key" "mongodb") | fromJson -}}
{{- $redis := include "herald.own" (dict "root" $root "row" $row "key" "redis") | fromJson -}}
{{- $files := list -}}
{{- range .names -}}
{{- $entry := include "herald.secretEntry" (dict "root" $root "row" $row "service" $service "entry" .) | fromJson -}}
{{- $files = append $files (dict "secret" $entry.secret "key" $entry.key "path" (printf "variables/%s" $entry.variable)) -}}
{{- end -}}
{{- range list
  (dict "ca" $kafka.ca "path" "tls/kafka-ca.crt")
  (dict "ca" $mongodb.ca "path" "tls/mongodb-ca.crt")
  (dict "ca" $redis.ca "path" "tls/redis-ca.crt")
  (dict "ca" $root.Values.ca "path" "tls/ca.crt")
  (dict "ca" $root.Values.smtp.ca "path" "tls/smtp-ca.crt" "only" "program")
  (dict "ca" $root.Values.imap.ca "path" "tls/imap-ca.crt" "only" "program") -}}
{{- if and .ca.existingSecret (eq $service (default $service .only)) -}}
{{- $files = append $files (dict "secret" .ca.existingSecret "key" .ca.key "path" .path) -}}
{{- end -}}
{{- end -}}
{{- with $kafka.clientCertificate -}}
{{- if .existingSecret -}}
{{- $files = append $files (dict "secret" .existingSecret "key" .certKey "path" "tls/kafka-client.crt") -}}
{{- $files = append $files (dict "secret" .existingSecret "key" .keyKey "path" "tls/kafka-client.key") -}}
{{- end -}}
{{- end -}}
name: herald
{{- if not $files }}
emptyDir: {}
{{- else }}
projected:
  defaultMode: 0444
  sources:
    {{- range $files }}
    - secret:
        name: {{ .secret }}
        items: [{key: {{ .key | quote }}, path: {{ .path }}}]
        {{- if $optional }}
        optional: true
        {{- end }}
    {{- end }}
{{- end }}
{{- end -}}

{{- /* What every pod has, whatever it runs: dict root, and where wanted fsGroup and token. */ -}}
{{- define "herald.pod" -}}
{{- $root := .root -}}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- if and .fsGroup (ne $root.Values.platform "openshift") }}
  fsGroup: {{ int64 .fsGroup }}
  fsGroupChangePolicy: OnRootMismatch
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- with $root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "herald.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{- define "herald.mounts" -}}
- name: herald
  mountPath: /etc/herald
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "herald.volumes" -}}
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 128Mi
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* The pod of a role; liveness is of the process alone, readiness of what it needs (MongoDB, its partitions). */ -}}
{{- define "herald.rolePod" -}}
{{- $root := .root -}}
{{- $one := .one -}}
{{- $context := dict "root" $root "row" $one.row "service" $one.service "settings" $one.settings -}}
metadata:
  labels:
    {{- include "herald.selector" $root | nindent 4 }}
    {{- include "herald.component" $one | nindent 4 }}
    {{- with merge (dict) $root.Values.podLabels $root.Values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $root.Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "herald.pod" (dict "root" $root "fsGroup" (dig "spool" "fsGroup" nil $one.settings)) | nindent 2 }}
  serviceAccountName: {{ include "herald.serviceAccount" $root }}
  terminationGracePeriodSeconds: {{ add $root.Values.drainSeconds $root.Values.grace (dig "spool" "grace" 0 $one.settings) 5 }}
  {{- with $root.Values.spreadOver }}
  topologySpreadConstraints:
    {{- range . }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "herald.selector" $root | nindent 10 }}
          {{- include "herald.component" $one | nindent 10 }}
    {{- end }}
  {{- end }}
  containers:
    - name: herald
      image: {{ include "herald.image" (dict "root" $root "service" $one.service) }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [run, {{ $one.service }}, {{ $one.role }}]
      {{- include "herald.containerSecurity" $root | nindent 6 }}
      env:
        {{- include "herald.environment" $context | nindent 8 }}
      ports:
        - name: http
          containerPort: 8080
      startupProbe:
        httpGet: {path: /health/live, port: http}
        periodSeconds: 2
        failureThreshold: 60
        timeoutSeconds: 5
      livenessProbe:
        httpGet: {path: /health/live, port: http}
        periodSeconds: 10
        failureThreshold: 6
        timeoutSeconds: 5
      readinessProbe:
        httpGet: {path: /health/ready, port: http}
        periodSeconds: 5
        failureThreshold: 2
        timeoutSeconds: 5
      lifecycle:
        preStop:
          sleep:
            seconds: {{ $root.Values.drainSeconds }}
      resources:
        {{- toYaml $one.settings.resources | nindent 8 }}
      volumeMounts:
        {{- include "herald.mounts" $root | nindent 8 }}
        {{- if $one.settings.spool }}
        - name: spool
          mountPath: /var/lib/herald
        {{- end }}
  volumes:
    - {{ include "herald.secretVolume" (merge (dict "names" (include "herald.secretNames" $context | fromJsonArray)) $context) | nindent 6 | trim }}
    {{- include "herald.volumes" $root | nindent 4 }}
{{- end -}}

{{- /* Which autoscaler a role has: cpu, lag, or none. */ -}}
{{- define "herald.autoscaler" -}}
{{- $wanted := .one.settings.autoscaling | default dict -}}
{{- if and .root.Values.autoscaling.cpu $wanted.cpu -}}
cpu
{{- else if and .root.Values.autoscaling.lag $wanted.lag -}}
lag
{{- end -}}
{{- end -}}

{{- define "herald.kind" -}}
{{- ternary "StatefulSet" "Deployment" (not (empty .settings.spool)) -}}
{{- end -}}

{{- define "herald.host" -}}
{{- (urlParse .Values.publicUrl).hostname -}}
{{- end -}}

{{- /* Hooks of a job: dict root, weight. */ -}}
{{- define "herald.hooks" -}}
{{- if eq .root.Values.jobs.hooks "helm" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation
{{- else if eq .root.Values.jobs.hooks "argocd" -}}
argocd.argoproj.io/hook: PreSync
argocd.argoproj.io/sync-wave: {{ .weight | quote }}
argocd.argoproj.io/hook-delete-policy: BeforeHookCreation
{{- end -}}
{{- end -}}
