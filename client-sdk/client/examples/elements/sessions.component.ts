import { Component, CUSTOM_ELEMENTS_SCHEMA, inject } from '@angular/core';
import { AuthService } from '@auth0/auth0-angular';
import { Slo } from '@slo-hub/client/angular';
import { defineElements, type FreshSignIn } from '@slo-hub/client/elements';
import { firstValueFrom } from 'rxjs';

defineElements();

@Component({
  selector: 'app-sessions',
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: '<slo-sessions [client]="slo.client()" (slo-fresh-sign-in)="signIn($event)" />',
})
export class Sessions {
  protected readonly slo = inject(Slo);
  private readonly auth0 = inject(AuthService);

  protected signIn({ detail }: CustomEvent<FreshSignIn>): void {
    detail.waitUntil(firstValueFrom(this.auth0.loginWithPopup({ authorizationParams: { max_age: detail.maxAge } })));
  }
}
