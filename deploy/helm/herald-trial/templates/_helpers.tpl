{{- /* Labels of one part: dict root, part. They are not those of the chart of Herald, whose policies close its pods. */ -}}
{{- define "trial.selector" -}}
app.kubernetes.io/name: herald-trial
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "trial.metadata" -}}
name: {{ .name | default (printf "trial-%s" .part) }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "trial.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
  app.kubernetes.io/part-of: herald
  helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "trial.pod" -}}
{{- with .root.Values.herald.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
automountServiceAccountToken: false
# Kafka's image takes every variable that begins with KAFKA_ for a setting.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- with .user }}
  runAsUser: {{ int64 . }}
  runAsGroup: {{ int64 . }}
  fsGroup: {{ int64 . }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "trial.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
{{- end -}}

{{- /* A server with one pod: dict root, part, port, data (where its files are), args, env, ready (a probe). */ -}}
{{- define "trial.server" -}}
{{- $row := index .root.Values .part -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "trial.metadata" . | nindent 2 }}
spec:
  clusterIP: None
  # MongoDB finds itself by this name before it is ready.
  publishNotReadyAddresses: true
  ports:
    - name: {{ .part }}
      port: {{ .port }}
  selector:
    {{- include "trial.selector" . | nindent 4 }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "trial.metadata" . | nindent 2 }}
spec:
  replicas: 1
  serviceName: trial-{{ .part }}
  selector:
    matchLabels:
      {{- include "trial.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "trial.selector" . | nindent 8 }}
    spec:
      {{- include "trial.pod" (dict "root" .root "user" $row.user) | nindent 6 }}
      terminationGracePeriodSeconds: 30
      containers:
        - name: {{ .part }}
          image: {{ $row.image }}
          {{- with .args }}
          args:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- include "trial.containerSecurity" . | nindent 10 }}
          {{- with .env }}
          env:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          ports:
            - name: {{ .part }}
              containerPort: {{ .port }}
          readinessProbe:
            {{- toYaml .ready | nindent 12 }}
            periodSeconds: 5
            timeoutSeconds: 10
            failureThreshold: 6
          resources:
            {{- toYaml $row.resources | nindent 12 }}
          volumeMounts:
            - name: data
              mountPath: {{ .data }}
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
          emptyDir: {}
        {{- if not .root.Values.persistence.enabled }}
        - name: data
          emptyDir: {}
        {{- end }}
  {{- with .root.Values.persistence }}
  {{- if .enabled }}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ .size }}
  {{- end }}
  {{- end }}
{{- end -}}
