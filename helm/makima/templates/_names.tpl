{{/* Names, labels, and the questions that several templates ask. */}}

{{- define "makima.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "makima.operator" -}}{{ include "makima.fullname" . }}-operator{{- end }}
{{- define "makima.api" -}}{{ include "makima.fullname" . }}-api{{- end }}
{{- define "makima.postgres" -}}{{ include "makima.fullname" . }}-postgres{{- end }}

{{- define "makima.operator.account" -}}
{{- .Values.operator.serviceAccount.name | default (ternary (include "makima.operator" .) "default" .Values.operator.serviceAccount.create) -}}
{{- end }}
{{- define "makima.api.account" -}}
{{- .Values.api.serviceAccount.name | default (ternary (include "makima.api" .) "default" .Values.api.serviceAccount.create) -}}
{{- end }}

{{- define "makima.labels" -}}
app.kubernetes.io/part-of: makima
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What pods are found by; may never change. Takes (list ROOT COMPONENT). */}}
{{- define "makima.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "makima.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Nothing with cluster scope goes with `rbac.namespaces`; "true" or "". */}}
{{- define "makima.clusterWide" -}}{{ if not .Values.rbac.namespaces }}true{{ end }}{{- end }}
{{- define "makima.installsCrds" -}}{{ if and .Values.crds.install (include "makima.clusterWide" .) }}true{{ end }}{{- end }}
{{- define "makima.keep" -}}{{ if .Values.crds.keep }}helm.sh/resource-policy: keep{{ end }}{{- end }}

{{- define "makima.database.secret" -}}
{{- .Values.database.existingSecret.name | default (printf "%s-database" (include "makima.fullname" .)) -}}
{{- end }}
{{- define "makima.database.key" -}}
{{- ternary .Values.database.existingSecret.key "url" (ne .Values.database.existingSecret.name "") -}}
{{- end }}

{{/* How many ways of naming a database are used; has to be one. */}}
{{- define "makima.database.check" -}}
{{- $given := list -}}
{{- if .Values.database.existingSecret.name }}{{ $given = append $given "database.existingSecret.name" }}{{ end -}}
{{- if .Values.database.url }}{{ $given = append $given "database.url" }}{{ end -}}
{{- if .Values.postgres.enabled }}{{ $given = append $given "postgres.enabled" }}{{ end -}}
{{- if and (or .Values.operator.enabled .Values.api.enabled) (ne (len $given) 1) -}}
{{- fail (printf "makima needs one Postgres, and %s. Name a Secret with its address (database.existingSecret.name), or for a first try set postgres.enabled=true." (ternary "none is named" (printf "%s are all set" (join " and " $given)) (empty $given))) -}}
{{- end -}}
{{- end }}

{{- define "makima.api.url" -}}
{{- ternary "https" "http" (ne .Values.api.tls.existingSecret "") }}://{{ include "makima.api" . }}.{{ .Release.Namespace }}.svc:8090
{{- end }}

{{/* Whether pods listen for the front proxy. With Roles only, an administrator has to take part, and then there is a Secret. */}}
{{- define "makima.aggregated" -}}
{{- if and .Values.aggregatedApi.enabled .Values.api.enabled (or (include "makima.clusterWide" .) .Values.aggregatedApi.existingSecret) }}true{{ end }}
{{- end }}
{{- define "makima.aggregated.secret" -}}
{{- .Values.aggregatedApi.existingSecret | default (printf "%s-aggregated" (include "makima.api" .)) -}}
{{- end }}
